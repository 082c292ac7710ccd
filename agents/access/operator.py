"""Rows of every organisation: only for the operator's commands."""

from django.db.models import Q

from accounts.access import organization_of_operator
from agents.models import Agent, ApiKey
from engine.errors import ClawError

MAX_ADDRESSES = 1000  # that are looked at together


def agent_of_operator(slug: str) -> Agent:
    """Any agent of this installation: for the operator's commands. Raises `agent_not_found`."""
    agent = Agent.objects.select_related("organization").filter(slug=slug).first()
    if agent is None:
        raise ClawError("agent_not_found", f"There is no agent “{slug}”.")
    return agent


def agents_of_operator(organization: str | None) -> list[Agent]:
    """Every agent, or those of the organisation with this name, the oldest first: for the
    operator's commands. Raises `not_found`."""
    rows = Agent.objects.select_related("organization").order_by("created_at", "id")
    if organization is not None:
        rows = rows.filter(organization=organization_of_operator(organization))
    return list(rows)


def keys_of_operator(organization: str | None) -> list[ApiKey]:
    """The same of keys, with their agents."""
    rows = ApiKey.objects.select_related("organization").order_by("created_at", "id")
    if organization is not None:
        rows = rows.filter(organization=organization_of_operator(organization))
    return list(rows.prefetch_related("agents"))


def model_addresses() -> list[tuple[str, str]]:
    """The slug and the address of every agent that names a model server, for the operator."""
    named = Agent.objects.exclude(base_url="").order_by("slug")
    return list(named.values_list("slug", "base_url")[:MAX_ADDRESSES])


def key_of_operator(reference: str) -> ApiKey:
    """A key of this installation by id or visible prefix: for the operator's commands.

    Raises `not_found`, also where a prefix is not enough."""
    found = list(ApiKey.objects.filter(Q(id=reference) | Q(prefix=reference)))
    if not found:
        raise ClawError("not_found", f"There is no key “{reference}”.")
    if len(found) > 1:
        raise ClawError("not_found", "Several keys begin so: " + ", ".join(row.id for row in found))
    return found[0]


def slug_with_page() -> str | None:
    """The slug of the oldest agent of this installation that has a public page, if one has."""
    pages = Agent.objects.filter(public_page=True).order_by("created_at", "id")
    return pages.values_list("slug", flat=True).first()
