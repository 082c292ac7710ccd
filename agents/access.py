"""The only way to the rows of agents and keys: every function says whose they are.

An agent that the asker may not use is answered like one that does not exist."""

from collections.abc import Collection, Hashable, Iterable
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Count, F, Max, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from accounts.access import organization_of_operator
from accounts.models import Organization
from agents.caller import Caller
from agents.config import SHOWN_TO_VISITORS, AgentConfig, no_such_agent
from agents.models import Agent, ApiKey, IdentitySecret, StreamTicket
from agents.principal import Kind, Principal
from agents.validators import RESERVED_SLUGS
from core.slugs import distinct, slug_of
from engine.errors import ClawError, invalid

MAX_ADDRESSES = 1000  # that are looked at together
MAX_ERASED = 100  # tickets, or agents, in one transaction


def find_key(digest: str) -> ApiKey | None:
    """The key with this SHA-256 digest, revoked or not, as `key_states` has it."""
    return ApiKey.objects.filter(digest=digest).annotate(**_agents_given()).first()


def opened_by(principal: Principal) -> QuerySet[Agent]:
    """The agents that a principal may ask: those that its key was given, or all of the
    organisation, for a key of every agent and for a member."""
    if principal.kind is Kind.MEMBER:
        return Agent.objects.filter(organization=principal.organization_id)
    return _opened_by_key(principal.id, principal.organization_id)


def agents_watched(principal: Principal, names: Collection[str]) -> frozenset[str] | None:
    """The ids of the agents that the principal may watch, or of those of them that are named. None
    means all of the organisation's, also those to come. Raises `agent_not_found`."""
    rows = opened_by(principal)
    if not names:
        key = ApiKey.objects.filter(id=principal.key_id, every_agent=False)
        return frozenset(rows.values_list("id", flat=True)) if key.exists() else None
    named = rows.filter(Q(id__in=names) | Q(slug__in=names))
    known = list(named.values_list("id", "slug"))
    if not set(names) <= {name for pair in known for name in pair}:
        raise no_such_agent()
    return frozenset(id_ for id_, _ in known)


def agents_listed(caller: Caller) -> QuerySet[Agent]:
    """Those of `opened_by` that the caller's request may name: where it names one, only that."""
    rows = opened_by(caller.principal)
    return rows if caller.agent is None else rows.filter(id=caller.agent.id)


def agent_of(caller: Caller, *, lock: bool = False) -> Agent:
    """The row of the caller's agent; `lock` keeps others from changing it until the transaction
    ends. Raises `agent_not_found`."""
    rows = Agent.objects.select_for_update() if lock else Agent.objects.all()
    agent = caller.require_agent()
    found = rows.filter(id=agent.id, organization=caller.principal.organization_id).first()
    if found is None:  # deleted since the caller's key was last looked up
        raise no_such_agent()
    return found


@transaction.atomic
def create_agent(caller: Caller, fields: dict[str, object]) -> Agent:
    """A new agent of the caller's organisation, which the caller's key opens.

    Without a slug it gets one after its name. Raises ValidationError, `invalid_message`."""
    agent = Agent(organization_id=caller.principal.organization_id, **fields)
    agent.slug = agent.slug or _free_slug(agent.name)
    agent.full_clean()
    try:
        agent.save(force_insert=True)
    except IntegrityError:  # somebody took the slug since it was looked up
        raise invalid("slug", "Agent with this Slug already exists.") from None
    key = key_of(caller.principal)
    if not key.every_agent:
        key.agents.add(agent)
    return agent


def hide_agent(agent: Agent) -> None:
    """Let nobody find the agent any more, before it is deleted in steps; its slug is free again.
    Not announced (`agents.invalidation`): that would cut off the watchers of its runs before their
    end."""
    Agent.objects.filter(pk=agent.pk).update(erasing=True, slug=agent.pk, credential=None)


def hide_agents(organization_id: str) -> list[AgentConfig]:
    """Hide some agents of an organisation that shall be deleted, and return them with those that
    are hidden already; none at the end."""
    rows = list(Agent.every.filter(organization=organization_id)[:MAX_ERASED])
    for agent in rows:
        if not agent.erasing:
            hide_agent(agent)
    return [AgentConfig.of(agent) for agent in rows]


def hidden_agents() -> QuerySet[Agent]:
    """The agents of `hide_agent`."""
    return Agent.every.filter(erasing=True)


def erase_tickets(agent: Agent) -> int:
    """Delete some tickets of an agent; returns how many, 0 once there are none left."""
    return _erase_some(StreamTicket.objects.filter(agent=agent))


def agents_named(caller: Caller, names: Collection[str]) -> list[Agent]:
    """Agents that the caller may hand on, by id or slug: with the scope `admin` any of the
    organisation, else those that the caller's key opens."""
    own = Agent.objects.filter(organization=caller.principal.organization_id)
    rows = own if "admin" in caller.principal.scopes else opened_by(caller.principal)
    return list(rows.filter(Q(id__in=names) | Q(slug__in=names)))


def slugs_opened(caller: Caller, slugs: Collection[str]) -> set[str]:
    """Those of these slugs that belong to agents which the caller may ask."""
    rows = opened_by(caller.principal).filter(slug__in=slugs)
    return set(rows.values_list("slug", flat=True)) if slugs else set()


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
    found = None if "\0" in key_id else rows.first()  # PostgreSQL refuses to look for a NUL
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
    found = None if "\0" in key_id else rows.first()
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


def usable_agents(key: ApiKey, names: Iterable[str], *, at_most: int) -> list[Agent]:
    """Agents that `key` opens: those with one of the ids or slugs `names`, or any without names."""
    return _some_of(_opened_by_key(key.id, key.organization_id), names, at_most)


def agents_of_organization(
    organization_id: str, names: Iterable[str], *, at_most: int
) -> list[Agent]:
    """The same of all agents of an organisation."""
    return _some_of(Agent.objects.filter(organization=organization_id), names, at_most)


def key_states(key_ids: Iterable[str]) -> list[ApiKey]:
    """The keys that still exist of these ids, with what they may and what ends them. `given` and
    `given_last` are the number and the newest id of the links to their agents: one of them differs
    whenever a key is given other agents."""
    fields = ("revoked_at", "expires_at", "every_agent", "scopes", "allowed_origins")
    limits = ("requests_per_minute", "monthly_budget")
    rows = ApiKey.objects.filter(id__in=list(key_ids)).only(*fields, *limits)
    return list(rows.annotate(**_agents_given()))


def agent_states(agent_ids: Iterable[str]) -> list[tuple[str, Hashable]]:
    """(id, version) of those agents that still exist."""
    rows = Agent.objects.filter(id__in=list(agent_ids)).annotate(
        secret_made=F("identity_secret__created_at")
    )
    shown = ("updated_at", "allowed_origins", "public_page", *SHOWN_TO_VISITORS)
    return [(agent.id, agent_version(agent, agent.secret_made)) for agent in rows.only(*shown)]


def agent_version(agent: Agent, secret_made: datetime | None) -> Hashable:
    """Differs whenever something does that concerns the agent's visitors, or whoever its identity
    secret vouches for. Not by the row's time alone: some statements leave that as it is."""
    shown = (getattr(agent, name) for name in SHOWN_TO_VISITORS)
    pages = agent.public_page, tuple(agent.allowed_origins)
    return agent.updated_at, secret_made, *pages, *shown


def agent_of_visitors(names: Collection[str]) -> Agent | None:
    """The one agent that all of these ids and slugs mean, for any caller: its door decides."""
    rows = Agent.objects.filter(Q(id__in=names) | Q(slug__in=names)).select_related("organization")
    found = list(rows[: len(names)])
    if len(found) != 1 or not set(names) <= {found[0].id, found[0].slug}:
        return None
    return found[0]


def identity_secret(agent: Agent) -> str | None:
    """The text of the agent's identity secret, if it has one."""
    found = identity_of(agent)
    return found and found.value


def identity_of(agent: Agent) -> IdentitySecret | None:
    """The row of the agent's identity secret, if it has one."""
    return IdentitySecret.objects.filter(agent=agent).first()


def store_identity_secret(agent: Agent, value: str, scopes: Collection[str]) -> None:
    """Give the agent this identity secret, and no other. Its users have these scopes."""
    fields = {"value": value, "scopes": sorted(scopes), "created_at": timezone.now()}
    IdentitySecret.objects.update_or_create(agent=agent, defaults=fields)


def erase_identity_secret(agent: Agent) -> None:
    """Leave the agent without one."""
    IdentitySecret.objects.filter(agent=agent).delete()


def find_ticket(digest: str) -> StreamTicket | None:
    """The ticket with this SHA-256 digest, with the key that has made it."""
    return StreamTicket.objects.select_related("api_key").filter(digest=digest).first()


def open_ticket(digest: str, run_id: str) -> None:
    """Note what a ticket has opened. Of a message only what the stream looks like is kept."""
    rows = StreamTicket.objects.select_for_update().filter(digest=digest)
    with transaction.atomic():
        ticket = rows.first()
        if ticket is None or (ticket.opened and ticket.run_id == run_id):
            return
        shown = ("merge", "deltas") if run_id else ticket.subject.keys()
        ticket.subject = {name: ticket.subject[name] for name in shown if name in ticket.subject}
        ticket.opened, ticket.run_id = True, run_id
        ticket.save(update_fields=["subject", "opened", "run_id"])


def purge_tickets(*, before: datetime) -> int:
    """Delete some of the tickets made before this moment, and of those that have expired without
    a use; returns how many, 0 once there are none left."""
    unused = Q(opened=False, expires_at__lt=timezone.now())
    rows = StreamTicket.objects.filter(Q(created_at__lt=before) | unused)
    return _erase_some(rows)


def _erase_some(tickets: QuerySet[StreamTicket]) -> int:
    some = list(tickets.values_list("pk", flat=True)[:MAX_ERASED])
    return StreamTicket.objects.filter(pk__in=some).delete()[0]


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


def ensure_agent(organization: Organization, slug: str, **fields: object) -> Agent:
    """The organisation's agent of this slug, made if there is none, with these fields.

    Raises ValidationError, also where the slug is another organisation's."""
    agent = Agent.objects.filter(organization=organization, slug=slug).first()
    if agent and not fields:
        return agent
    agent = agent or Agent(organization=organization, slug=slug, name=slug)
    for field, value in fields.items():
        setattr(agent, field, value)
    agent.full_clean()
    agent.save()
    return agent


def slug_with_page() -> str | None:
    """The slug of the oldest agent of this installation that has a public page, if one has."""
    pages = Agent.objects.filter(public_page=True).order_by("created_at", "id")
    return pages.values_list("slug", flat=True).first()


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


def _free_slug(name: str) -> str:
    slug = slug_of(name, "agent")
    taken = slug in RESERVED_SLUGS or Agent.objects.filter(slug=slug).exists()
    return distinct(slug) if taken else slug


def _agents_given() -> dict[str, Subquery]:
    links = ApiKey.agents.through.objects.filter(apikey=OuterRef("pk")).order_by().values("apikey")
    return {
        "given": Subquery(links.annotate(count=Count("pk")).values("count")),
        "given_last": Subquery(links.annotate(last=Max("pk")).values("last")),
    }


def _some_of(agents: QuerySet[Agent], names: Iterable[str], at_most: int) -> list[Agent]:
    if names := list(names):
        agents = agents.filter(Q(id__in=names) | Q(slug__in=names))
    return list(agents.select_related("organization").order_by("id")[:at_most])


def _opened_by_key(key_id: str, organization_id: str) -> QuerySet[Agent]:
    key = ApiKey.objects.filter(id=key_id, organization=organization_id)
    return Agent.objects.filter(
        Q(id__in=key.values("agents"))
        | Q(organization__in=key.filter(every_agent=True).values("organization")),
        organization=organization_id,
    )
