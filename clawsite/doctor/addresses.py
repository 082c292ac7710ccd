"""The model servers that agents name: whether we would connect to them at all."""

from collections.abc import Iterator

from django.conf import settings
from django.db import DatabaseError

from agents.access import model_addresses
from clawsite.doctor.finding import Finding, problem, well
from engine.http.guard import AddressRefused, Guard

MAX_SHOWN = 20


def check_addresses() -> Iterator[Finding]:
    """Every address is checked as far as that is possible without a look-up of its name."""
    guard, refused = Guard(settings.CLAW_ALLOW_PRIVATE_NETWORKS), 0
    try:
        named = model_addresses()
    except DatabaseError:
        return  # the database has its own finding
    for slug, url in named:
        try:
            guard.check_url(url)
        except AddressRefused as error:
            refused += 1
            if refused <= MAX_SHOWN:
                yield problem(
                    "agents",
                    f"No run of {slug} reaches its model server: {error.reason}.",
                    "Correct its base URL, or name the network in CLAW_ALLOW_PRIVATE_NETWORKS.",
                )
    if named and not refused:
        yield well("agents", f"The addresses of {len(named)} agents' model servers are allowed.")
