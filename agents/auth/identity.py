"""An organisation's own users: its server vouches for them with tokens that it signs with the
agent's identity secret (HS256; `user_id` and `exp`, and whatever else it likes)."""

from collections.abc import Collection
from datetime import UTC, datetime

from agents import access, invalidation
from agents.auth import signing, visitors
from agents.caller import Address, Caller
from agents.config import no_such_agent
from agents.models import Agent
from agents.public import visited
from agents.validators import DEFAULT_SCOPES
from engine.errors import ClawError
from engine.ids import base62

SECRET_LENGTH = 43  # 256 bits, as RFC 7518 (3.2) wants them for HS256
LEEWAY = 5  # seconds; clocks differ
MAX_ID = 128  # characters


def new_secret(agent: Agent, scopes: Collection[str] = DEFAULT_SCOPES) -> str:
    """A new identity secret, which cannot be shown again. Everything that the earlier secret has
    signed ends.

    The users for whom it vouches have `scopes`."""
    secret = f"claw_identity_{base62(SECRET_LENGTH)}"
    access.store_identity_secret(agent, secret, scopes)
    invalidation.publish(agent.organization_id)
    return secret


def drop_secret(agent: Agent) -> None:
    """Recognise no users any more."""
    access.erase_identity_secret(agent)
    invalidation.publish(agent.organization_id)


async def authorize_user(token: str, address: Address, origin: str | None) -> Caller:
    """The user whom the organisation's own server names, from a page or from a program.

    Raises `invalid_token`, `token_expired`, `agent_not_found`, `forbidden` (origin)."""
    if not address.names:
        raise ClawError("invalid_token", "Name the agent whose identity secret has signed this.")
    agent = await visited.find(address.names)
    page = visitors.page_of(origin, address)
    user_id, ends = user_of(token, agent.identity_secret if agent else None)
    if agent is None:
        raise no_such_agent()
    if page is not None and not agent.allows(page, address):
        raise visitors.forbidden_origin()
    principal = agent.visitor(visitors.user(user_id), datetime.fromtimestamp(ends, UTC))
    if not principal.scopes:
        raise ClawError(
            "invalid_token",
            "The key that made this identity secret had no scope of a user, so its tokens open"
            " nothing. Make the secret again with a key that has the scope “chat”.",
        )
    return Caller(principal=principal, agent=agent.config, readable=page is not None)


def user_of(token: str, secret: str | None) -> tuple[str, int]:
    """The user whom a token names, and when it ends (seconds since 1970).

    Raises `invalid_token` and `token_expired`."""
    if secret is None:
        raise ClawError("invalid_token", "Invalid token")
    try:
        claims = signing.verify(token, secret, require=["exp", "user_id"], leeway=LEEWAY)
    except signing.ForeignToken:
        raise ClawError("invalid_token", "Invalid token") from None
    user = claims["user_id"]
    if isinstance(user, int) and not isinstance(user, bool):
        user = str(user)
    if not isinstance(user, str) or not _is_id(user):
        problem = f"The token's user_id is no text of 1 to {MAX_ID} characters."
        raise signing.unfit(problem, "user_id")
    return user, int(claims["exp"]) + LEEWAY  # or it would be let in and cut at once


def _is_id(user: str) -> bool:
    return 0 < len(user) <= MAX_ID and user.isprintable() and user.strip() == user
