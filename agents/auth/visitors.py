"""Visitors: people on a web page, and the users that an organisation recognises.

A visitor's id is `anon:<random>`, which this installation makes, or `user:<id>` of a user for whom
the agent's organisation vouches (`agents.auth.identity`). No visitor chooses an id."""

import hmac

from agents.auth.visitor_tokens import VisitorToken
from agents.caller import Address, Caller
from agents.config import no_such_agent
from agents.public import visited
from agents.public.visited import USER, VisitedAgent
from engine.errors import ClawError, invalid
from engine.ids import base62

ANONYMOUS = "anon"


def new_visitor() -> str:
    """A fresh id, for a visitor who has never been here."""
    return f"{ANONYMOUS}:{base62(22)}"


def user(user_id: str) -> str:
    """The visitor's id of an organisation's own user."""
    return f"{USER}:{user_id}"


def owner_of(visitor_id: str) -> str:
    """The owner of this visitor's conversations: `visitor:<id>` or `user:<id>`."""
    kind, _, name = visitor_id.partition(":")
    return visitor_id if kind == USER else f"visitor:{name}"


def visitor_of(owner: str) -> str | None:
    """The id of the visitor who is this owner of conversations; None for keys and members."""
    kind, _, name = owner.partition(":")
    if kind == USER:
        return owner
    return f"{ANONYMOUS}:{name}" if kind == "visitor" else None


async def authorize_visitor(token: VisitorToken, address: Address, origin: str | None) -> Caller:
    """The visitor whom a token names, on the page that it was given to.

    Raises `agent_not_found`, `forbidden` (origin), `invalid_token`."""
    agent = await visited.find({token.agent_id, *address.names})
    page = page_of(origin, address)
    if agent is None or not agent.welcomes:
        raise no_such_agent()
    if page != token.origin or not agent.allows(page, address):
        raise forbidden_origin()
    check_vouched(token, agent)
    principal = agent.visitor(owner_of(token.visitor_id), token.expires_at)
    return Caller(principal=principal, agent=agent.config, readable=True)


async def welcome(address: Address, origin: str | None) -> tuple[VisitedAgent, str]:
    """The agent that a new visitor may talk to, and the origin of the page that they are on.

    Raises `invalid_message` without a name, `agent_not_found`, `forbidden` (origin)."""
    if not address.names:
        raise invalid("agentId", "Name the agent.")
    agent = await visited.find(address.names)
    page = page_of(origin, address)
    if agent is None or not agent.welcomes:
        raise no_such_agent()
    if page is None or not agent.allows(page, address):
        raise forbidden_origin()
    return agent, page


async def readable(address: Address, origin: str) -> bool:
    """Whether the agent that the address names lets pages of this origin read its answers."""
    agent = await visited.find(address.names)
    return agent is not None and agent.allows(origin, address)


def check_vouched(token: VisitorToken, agent: VisitedAgent) -> None:
    """Raise `invalid_token` for a user for whom the agent's identity secret of now does not
    vouch."""
    if not hmac.compare_digest(token.via, agent.voucher(token.visitor_id)):
        raise ClawError("invalid_token", "Invalid token")


def page_of(origin: str | None, address: Address) -> str | None:
    """The origin of the page that asks: the one that its browser says or, where browsers say none
    (a GET to the page's own host), that host's. None for other programs."""
    return address.site if origin is None and address.same_origin else origin


def forbidden_origin() -> ClawError:
    """The error for a page from which the agent may not be asked."""
    return ClawError("forbidden", "This agent may not be asked from this origin.")
