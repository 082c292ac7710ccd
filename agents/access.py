"""The only way to the rows of agents and keys: every function says whose they are.

An agent that the asker may not use is answered like one that does not exist."""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import Organization
from agents.caller import Caller
from agents.models import Agent, ApiKey, IdentitySecret, StreamTicket
from agents.slugs import distinct, slug_of
from agents.validators import RESERVED_SLUGS
from engine.errors import ClawError, invalid


def find_key(digest: str) -> ApiKey | None:
    """The key with this SHA-256 digest, revoked or not."""
    return ApiKey.objects.filter(digest=digest).first()


def opened_by(caller: Caller) -> QuerySet[Agent]:
    """The agents that the caller's key opens: those it was given, or all of its organisation."""
    return _opened_by_key(caller.key_id, caller.organization_id)


def agent_of(caller: Caller, *, lock: bool = False) -> Agent:
    """The row of the caller's agent; `lock` keeps others from changing it until the transaction
    ends. Raises `agent_not_found`."""
    rows = Agent.objects.select_for_update() if lock else Agent.objects.all()
    agent = caller.require_agent()
    found = rows.filter(id=agent.id, organization=caller.organization_id).first()
    if found is None:  # deleted since the caller's key was last looked up
        raise ClawError("agent_not_found", "There is no such agent.")
    return found


@transaction.atomic
def create_agent(caller: Caller, fields: dict[str, object]) -> Agent:
    """A new agent of the caller's organisation, which the caller's key opens.

    Without a slug it gets one after its name. Raises ValidationError, `invalid_message`."""
    agent = Agent(organization_id=caller.organization_id, **fields)
    agent.slug = agent.slug or _free_slug(agent.name)
    agent.full_clean()
    try:
        agent.save(force_insert=True)
    except IntegrityError:  # somebody took the slug since it was looked up
        raise invalid("slug", "Agent with this Slug already exists.") from None
    key = key_of(caller)
    if not key.every_agent:
        key.agents.add(agent)
    return agent


def agents_named(caller: Caller, names: Collection[str]) -> list[Agent]:
    """Agents that the caller may hand on, by id or slug: with the scope `admin` any of the
    organisation, else those that the caller's key opens."""
    own = Agent.objects.filter(organization=caller.organization_id)
    rows = own if "admin" in caller.scopes else opened_by(caller)
    return list(rows.filter(Q(id__in=names) | Q(slug__in=names)))


def key_of(caller: Caller) -> ApiKey:
    """The row of the key that the caller presents."""
    return ApiKey.objects.get(id=caller.key_id, organization=caller.organization_id)


def keys_of_agent(caller: Caller) -> QuerySet[ApiKey]:
    """The keys of the caller's organisation that open the caller's agent."""
    agent = caller.require_agent().id
    # A join would find a key once for each of its agents.
    named = ApiKey.objects.filter(agents=agent).values("id")
    rows = ApiKey.objects.filter(Q(every_agent=True) | Q(id__in=named))
    return rows.filter(organization=caller.organization_id)


def key_of_agent(caller: Caller, key_id: str) -> ApiKey:
    """One of `keys_of_agent`. Raises `not_found`."""
    rows = keys_of_agent(caller).filter(id=key_id)
    found = None if "\0" in key_id else rows.first()  # PostgreSQL refuses to look for a NUL
    if found is None:
        raise ClawError("not_found", "There is no such key.")
    return found


def lineage_of(caller: Caller) -> QuerySet[ApiKey]:
    """The keys that share the budget of the caller's key, itself included."""
    own = ApiKey.objects.filter(id=caller.key_id)
    return ApiKey.objects.filter(lineage__in=own.values("lineage"))


def usable_agents(key: ApiKey, names: Iterable[str], *, at_most: int) -> list[Agent]:
    """Agents that `key` opens: those with one of the ids or slugs `names`, or any without names."""
    agents = _opened_by_key(key.id, key.organization_id)
    if names := list(names):
        agents = agents.filter(Q(id__in=names) | Q(slug__in=names))
    return list(agents.select_related("organization").order_by("id")[:at_most])


def key_states(key_ids: Iterable[str]) -> list[ApiKey]:
    """The keys that still exist of these ids, with what ends them and nothing else."""
    return list(ApiKey.objects.filter(id__in=list(key_ids)).only("revoked_at", "expires_at"))


def agent_of_visitors(names: Collection[str]) -> Agent | None:
    """The one agent that all of these ids and slugs mean, whoever asks: its door decides."""
    rows = Agent.objects.filter(Q(id__in=names) | Q(slug__in=names)).select_related("organization")
    found = list(rows[: len(names)])
    if len(found) != 1 or not set(names) <= {found[0].id, found[0].slug}:
        return None
    return found[0]


def identity_secret(agent: Agent) -> str | None:
    """The text of the agent's identity secret, if it has one."""
    return IdentitySecret.objects.filter(agent=agent).values_list("value", flat=True).first()


def store_identity_secret(agent: Agent, value: str) -> None:
    """Give the agent this identity secret, and no other."""
    IdentitySecret.objects.update_or_create(agent=agent, defaults={"value": value})


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
    """Delete the tickets made before this moment, and those that have expired without a use;
    returns how many."""
    unused = Q(opened=False, expires_at__lt=timezone.now())
    return StreamTicket.objects.filter(Q(created_at__lt=before) | unused).delete()[0]


def agent_of_operator(slug: str) -> Agent:
    """Any agent of this installation: for the operator's commands. Raises `agent_not_found`."""
    agent = Agent.objects.select_related("organization").filter(slug=slug).first()
    if agent is None:
        raise ClawError("agent_not_found", f"There is no agent “{slug}”.")
    return agent


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


def newest_key(agent: Agent, name: str) -> ApiKey | None:
    """The newest key of this name for this agent that still opens it."""
    now = timezone.now()
    return (
        agent.api_keys.filter(name=name, revoked_at=None)
        .filter(Q(expires_at=None) | Q(expires_at__gt=now))
        .order_by("-created_at")
        .first()
    )


def _free_slug(name: str) -> str:
    slug = slug_of(name)
    taken = slug in RESERVED_SLUGS or Agent.objects.filter(slug=slug).exists()
    return distinct(slug) if taken else slug


def _opened_by_key(key_id: str, organization_id: str) -> QuerySet[Agent]:
    key = ApiKey.objects.filter(id=key_id, organization=organization_id)
    return Agent.objects.filter(
        Q(id__in=key.values("agents"))
        | Q(organization__in=key.filter(every_agent=True).values("organization")),
        organization=organization_id,
    )
