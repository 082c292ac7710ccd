"""Who may ask which agent: a token and an address in, one frozen `Caller` out."""

from datetime import UTC, datetime

from agents import identity, keys, signing, visited, visitors
from agents.caller import Address, AgentConfig, Caller
from agents.keys import KnownKey
from agents.validators import is_name
from agents.visited import VisitedAgent
from engine.errors import ClawError, invalid

LAST_MOMENT = datetime(9999, 1, 1, tzinfo=UTC)  # some sign tokens that never end


async def authorize(token: str | None, *, address: Address, origin: str | None) -> Caller:
    """The caller who presents `token`: an API key, a visitor's token, or one in which an
    organisation names a user of its own. `origin` is the browser's `Origin` header, if any.

    Costs no query while the key is cached, else one database step. Raises `auth_required`,
    `invalid_token`, `token_expired`, `key_revoked`, `forbidden` (origin), `agent_not_found`,
    `agent_mismatch`, and `unavailable` without the database."""
    if not token:
        raise ClawError("auth_required", "Authentication is required.")
    if not signing.is_signed(token):
        return await _key_holder(token, address, origin)
    try:
        known = visitors.read(token)
    except signing.ForeignToken:
        return await _user(token, address, visitors.page(origin, address))
    return await _visitor(known, address, visitors.page(origin, address))


async def _key_holder(token: str, address: Address, origin: str | None) -> Caller:
    key = await keys.find(token, names_of(address))
    return key_holder(key, address, origin)


def names_of(address: Address) -> frozenset[str]:
    """Those names of the agent that an agent may have."""
    return frozenset(filter(is_name, address.names))


def key_holder(key: KnownKey, address: Address, origin: str | None) -> Caller:
    """Who holds this key, asking from a page of this origin.

    Raises `token_expired`, `key_revoked`, `forbidden`, `agent_not_found`, `agent_mismatch`."""
    if code := keys.ended(key.revoked_at, key.expires_at):
        raise ClawError(code, keys.ENDED[code])
    listed = origin in key.allowed_origins
    if origin is not None and key.allowed_origins and not listed:
        raise ClawError("forbidden", "This key may not be used from this origin.")
    return Caller(
        organization_id=key.organization_id,
        key_id=key.id,
        scopes=key.scopes,
        agent=_agent(key.agents, address.names),
        expires_at=key.expires_at,
        requests_per_minute=key.requests_per_minute,
        monthly_budget=key.monthly_budget,
        origin_allowed=listed,
    )


async def _visitor(token: visitors.VisitorToken, address: Address, page: str | None) -> Caller:
    agent = await visited.find({token.agent_id, *address.names})
    if agent is None or not agent.welcomes:
        raise not_found()
    if page != token.origin or not agent.allows(page, address):
        raise forbidden_origin()
    visitors.check_vouched(token, agent)
    return visitors.caller(agent, token.visitor_id, token.expires_at, readable=True)


async def _user(token: str, address: Address, page: str | None) -> Caller:
    """One whom the organisation's own server has named, from a page or from a program."""
    if not address.names:
        raise ClawError("invalid_token", "Name the agent whose identity secret has signed this.")
    agent = await visited.find(address.names)
    user_id, ends = identity.user_of(token, agent.identity_secret if agent else None)
    if agent is None:
        raise not_found()
    if page is not None and not agent.allows(page, address):
        raise forbidden_origin()
    ending = datetime.fromtimestamp(min(ends, LAST_MOMENT.timestamp()), UTC)
    return visitors.caller(agent, visitors.user(user_id), ending, readable=page is not None)


async def welcome(address: Address, origin: str | None) -> tuple[VisitedAgent, str]:
    """The agent that a new visitor may talk to, and the origin of the page that they are on.

    Raises `invalid_message` without a name, `agent_not_found`, `forbidden` (origin)."""
    if not address.names:
        raise invalid("agentId", "Name the agent.")
    agent = await visited.find(address.names)
    page = visitors.page(origin, address)
    if agent is None or not agent.welcomes:
        raise not_found()
    if page is None or not agent.allows(page, address):
        raise forbidden_origin()
    return agent, page


async def readable(address: Address, origin: str) -> bool:
    """Whether the agent that the address names lets pages of this origin read its answers."""
    agent = await visited.find(address.names)
    return agent is not None and agent.allows(origin, address)


def not_found() -> ClawError:
    """The error for an agent that is not there, or not for this caller."""
    return ClawError("agent_not_found", "There is no such agent.")


def forbidden_origin() -> ClawError:
    """The error for a page from which the agent may not be asked."""
    return ClawError("forbidden", "This agent may not be asked from this origin.")


def _agent(agents: tuple[AgentConfig, ...], names: list[str]) -> AgentConfig | None:
    """The one agent that all `names` mean; without names the only one there is, or None."""
    if not names:
        return agents[0] if len(agents) == 1 else None
    by_name = {name: agent for agent in agents for name in (agent.id, agent.slug)}
    if any(name not in by_name for name in names):
        raise not_found()
    if len({by_name[name].id for name in names}) > 1:
        raise ClawError("agent_mismatch", "The request names two different agents.")
    return by_name[names[0]]
