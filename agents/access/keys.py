"""Rows of API keys."""

from collections.abc import Iterable

from django.db.models import Count, Max, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from agents.caller import Caller
from agents.models import Agent, ApiKey
from agents.principal import Kind, Principal
from engine.errors import ClawError


def find_key(digest: str) -> ApiKey | None:
    """The key with this SHA-256 digest, revoked or not, as `key_states` has it."""
    rows = ApiKey.objects.filter(digest=digest).select_related("pinned")
    return rows.annotate(**_agents_given()).first()


def key_of(principal: Principal) -> ApiKey:
    """The row of the key that the principal holds; for a member one that is not stored, with the
    member's rights."""
    if principal.kind is Kind.MEMBER:
        return ApiKey(
            organization_id=principal.organization_id,
            every_agent=True,
            scopes=sorted(principal.scopes),
        )
    return ApiKey.objects.get(id=principal.key_id, organization=principal.organization_id)


def keys_of_agent(caller: Caller) -> QuerySet[ApiKey]:
    """The keys of the caller's organisation that open the caller's agent."""
    agent = caller.require_agent().id
    # A join would find a key once for each of its agents.
    named = ApiKey.objects.filter(agents=agent).values("id")
    rows = ApiKey.objects.filter(Q(every_agent=True) | Q(id__in=named))
    return rows.filter(organization=caller.principal.organization_id)


def key_of_agent(caller: Caller, key_id: str) -> ApiKey:
    """One of `keys_of_agent`. Raises `not_found`."""
    rows = keys_of_agent(caller).filter(id=key_id)
    found = rows.first()
    if found is None:
        raise ClawError("not_found", "There is no such key.")
    return found


def keys_of_organization(caller: Caller) -> QuerySet[ApiKey]:
    """All keys of the caller's organisation. They concern any agent: raises `forbidden` without the
    scope `admin`."""
    caller.principal.require("admin")
    return ApiKey.objects.filter(organization=caller.principal.organization_id)


def key_of_organization(caller: Caller, key_id: str) -> ApiKey:
    """One of `keys_of_organization`. Raises `not_found`."""
    rows = keys_of_organization(caller).filter(id=key_id)
    found = rows.first()
    if found is None:
        raise ClawError("not_found", "There is no such key.")
    return found


def lock_key(key: ApiKey) -> None:
    """Read the key's row again, and keep others from changing it until the transaction ends.
    Raises `not_found` if it has been deleted."""
    try:
        key.refresh_from_db(from_queryset=ApiKey.objects.select_for_update())
    except ApiKey.DoesNotExist:
        raise ClawError("not_found", "There is no such key.") from None


def lineage_of(key_id: str | None) -> QuerySet[ApiKey]:
    """The keys that share the budget of a key, itself included."""
    own = ApiKey.objects.filter(id=key_id)
    return ApiKey.objects.filter(lineage__in=own.values("lineage"))


def key_states(key_ids: Iterable[str]) -> list[ApiKey]:
    """The keys that still exist of these ids, with what they may and what ends them. `given` and
    `given_last` are the number and the newest id of the links to their agents: one of them differs
    whenever a key is given other agents."""
    fields = ("revoked_at", "expires_at", "every_agent", "scopes", "allowed_origins")
    limits = ("requests_per_minute", "monthly_budget", "pinned")
    rows = ApiKey.objects.filter(id__in=list(key_ids)).only(*fields, *limits)
    return list(rows.annotate(**_agents_given()))


def newest_key(agent: Agent, name: str) -> ApiKey | None:
    """The newest key of this name for this agent that still opens it."""
    now = timezone.now()
    return (
        agent.api_keys.filter(name=name, revoked_at=None)
        .filter(Q(expires_at=None) | Q(expires_at__gt=now))
        .order_by("-created_at")
        .first()
    )


def require_every_agent(caller: Caller) -> None:
    """Raise `forbidden` unless the caller may ask every agent of its organisation, also those to
    come: what all agents share is for such keys and for members."""
    principal = caller.principal
    if principal.kind is not Kind.MEMBER and not key_of(principal).every_agent:
        raise ClawError("forbidden", "This needs a key that opens every agent.")


def _agents_given() -> dict[str, Subquery]:
    links = ApiKey.agents.through.objects.filter(apikey=OuterRef("pk")).order_by().values("apikey")
    return {
        "given": Subquery(links.annotate(count=Count("pk")).values("count")),
        "given_last": Subquery(links.annotate(last=Max("pk")).values("last")),
    }
