"""The settings, and whether the stored secrets can be read with them."""

from collections.abc import Iterator

from django.conf import settings
from django.core.checks import Warning, run_checks
from django.db import DatabaseError

from accounts.rotation import rotation_state
from clawsite.doctor.finding import Finding, problem, well


def check_settings() -> Iterator[Finding]:
    """Django's and our own system checks, and what only development may have."""
    found = [message for message in run_checks() if message.level >= Warning("").level]
    for message in found:
        hint = message.hint or "See docs/settings.md."
        yield problem("settings", f"{message.msg} ({message.id})", hint)
    if settings.DEBUG:
        yield problem("settings", "DEBUG is on: errors show what is inside.", "Set DEBUG=false.")
    elif not found:
        yield well("settings", "Nothing is wrong with them.")


def check_secrets() -> Iterator[Finding]:
    """Every stored secret is read with `CLAW_ENCRYPTION_KEYS`."""
    try:
        state = rotation_state()
    except DatabaseError:
        return  # the database has its own finding
    if state.unreadable:
        yield problem(
            "secrets",
            f"{state.unreadable} of {state.total} stored secrets fit none of CLAW_ENCRYPTION_KEYS.",
            "Put the key that wrote them back, after the first one.",
        )
    elif state.old:
        yield problem(
            "secrets",
            f"{state.old} of {state.total} stored secrets are encrypted with an old key.",
            "Run `manage.py rotate_secrets`; after that the old key may be removed.",
        )
    else:
        yield well("secrets", f"All {state.total} can be read with the first key.")
