"""Rows of agents."""

from collections.abc import Collection, Hashable, Iterable
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet

from accounts.models import Organization
from agents.access.keys import key_of
from agents.caller import Caller
from agents.config import SHOWN_TO_VISITORS, AgentConfig, no_such_agent
from agents.models import Agent, ApiKey
from agents.principal import Kind, Principal
from agents.validators import RESERVED_SLUGS
from core.slugs import distinct, slug_of
from engine.errors import invalid

MAX_HIDDEN = 100  # agents, in one transaction


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
        if principal.kind is Kind.MEMBER:
            return None
        key = ApiKey.objects.filter(id=principal.key_id, every_agent=False)
        return frozenset(rows.values_list("id", flat=True)) if key.exists() else None
    named = rows.filter(Q(id__in=names) | Q(slug__in=names))
    known = list(named.values_list("id", "slug"))
    if not set(names) <= {name for pair in known for name in pair}:
        raise no_such_agent()
    return frozenset(id_ for id_, _ in known)


def agent_ids(organization_id: str, names: Collection[str]) -> frozenset[str]:
    """The ids of those of the organisation's agents that have one of these ids or slugs."""
    rows = Agent.objects.filter(organization=organization_id)
    return frozenset(rows.filter(Q(id__in=names) | Q(slug__in=names)).values_list("id", flat=True))


def agents_listed(caller: Caller, *, archived: bool = False) -> QuerySet[Agent]:
    """Those of `opened_by` that the caller's request may name: where it names one, only that.
    Without those that are archived, or only those."""
    rows = opened_by(caller.principal).filter(archived_at__isnull=not archived)
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
    rows = list(Agent.every.filter(organization=organization_id)[:MAX_HIDDEN])
    for agent in rows:
        if not agent.erasing:
            hide_agent(agent)
    return [AgentConfig.of(agent) for agent in rows]


def hidden_agents() -> QuerySet[Agent]:
    """The agents of `hide_agent`."""
    return Agent.every.filter(erasing=True)


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


def usable_agents(key: ApiKey, names: Iterable[str], *, at_most: int) -> list[Agent]:
    """Agents that `key` opens: those with one of the ids or slugs `names`, or any without names."""
    return _some_of(_opened_by_key(key.id, key.organization_id), names, at_most)


def agents_of_organization(
    organization_id: str, names: Iterable[str], *, at_most: int
) -> list[Agent]:
    """The same of all agents of an organisation."""
    return _some_of(Agent.objects.filter(organization=organization_id), names, at_most)


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


def _free_slug(name: str) -> str:
    slug = slug_of(name, "agent")
    taken = slug in RESERVED_SLUGS or Agent.objects.filter(slug=slug).exists()
    return distinct(slug) if taken else slug


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
