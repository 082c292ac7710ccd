"""Members of an organisation, known by the session with which they are signed in to the console."""

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import SESSION_KEY

from accounts import sessions
from accounts.access import membership_of, membership_states, membership_version, organizations_of
from accounts.models import Membership
from agents import access, invalidation
from agents.caller import Address, Caller
from agents.config import AgentConfig, named
from agents.principal import Kind, Principal
from agents.validators import SCOPES, is_name
from core.chunks import chunks
from core.database import database_step
from engine.errors import ClawError

VIEWING = frozenset(
    {"conversations:read", "agents:read", "usage:read", "monitor:read", "pipelines:read"}
)
SCOPES_OF_ROLE: Mapping[Any, frozenset[str]] = {
    Membership.Role.OWNER: frozenset(SCOPES),
    Membership.Role.ADMIN: frozenset(SCOPES),
    Membership.Role.MEMBER: VIEWING
    | {"chat", "conversations:write", "agents:write", "runs:approve", "monitor:write"}
    | {"pipelines:write"},
    Membership.Role.VIEWER: VIEWING,
}
OWN_PAGES = (None, "same-origin", "none")
"""`Sec-Fetch-Site` of a request by the console's own page, or by a person who typed the address;
older browsers send none (https://www.w3.org/TR/fetch-metadata/)."""


@dataclass(frozen=True, kw_only=True)
class Session:
    """The session that a request brings. `organization` is the slug of the organisation that the
    member asks for, if they name one; `safe`: the method changes nothing (RFC 9110, 9.2.1)."""

    key: str
    organization: str | None = None
    safe: bool = False
    fetch_site: str | None = None


async def authorize_member(session: Session, address: Address, origin: str | None) -> Caller:
    """The member who is signed in with a session, and asks from a page of the console.

    Raises `auth_required`, `not_found` (organisation), `forbidden` (no organisation, or page),
    `agent_not_found`, `agent_mismatch`."""
    own = session.safe if origin is None else origin == address.site
    if not own or session.fetch_site not in OWN_PAGES:
        raise ClawError("forbidden", "A session may only be used from the console's own pages.")
    names = frozenset(filter(is_name, address.names))
    principal, agents = await database_step(_load, session, names)
    return Caller(principal=principal, agent=named(agents, address.names))


async def look_again(membership_ids: Collection[str]) -> dict[str, Hashable]:
    """The versions of these memberships now; None for one that has ended."""
    asked = list(membership_ids)
    versions: dict[str, Hashable] = dict.fromkeys(asked)
    for some in chunks(asked):
        versions |= await database_step(membership_states, some)
    return versions


def announce_end(instance: Any, **about: Any) -> None:
    """Receive the signal of a deleted session: its person has signed out. The open connections of
    their organisations are checked again."""
    user_id = instance.get_decoded().get(SESSION_KEY)
    for organization_id in organizations_of(user_id) if user_id is not None else ():
        invalidation.publish(organization_id)


def _load(session: Session, names: frozenset[str]) -> tuple[Principal, list[AgentConfig]]:
    stored = sessions.open_session(session.key)
    user = sessions.user_of(stored)
    if user is None:
        raise ClawError("auth_required", "Sign in again.")
    last = stored.get(sessions.ORGANIZATION)
    membership = membership_of(user, session.organization, last)
    if membership is None and session.organization is not None:
        raise ClawError("not_found", "There is no such organisation.")
    if membership is None:
        raise ClawError("forbidden", "You are no member of an organisation.")
    if membership.organization_id != last:
        stored[sessions.ORGANIZATION] = membership.organization_id
        stored.save()
    organization_id = membership.organization_id
    agents = access.agents_of_organization(organization_id, names, at_most=len(names) or 2)
    return principal_of(membership), [AgentConfig.of(agent) for agent in agents]


def principal_of(membership: Membership) -> Principal:
    """The member with the rights of their role."""
    return Principal(
        kind=Kind.MEMBER,
        id=membership.id,
        organization_id=membership.organization_id,
        owner=f"member:{membership.user_id}",
        scopes=SCOPES_OF_ROLE[membership.role],
        name=membership.user.email,
        version=membership_version(membership),
    )
