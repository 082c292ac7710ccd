"""Whom an organisation recognises: its own users, vouched for by a token that its own server signs
with the agent's identity secret (HS256; `user_id` and `exp`, and whatever else it likes)."""

from agents import access, changes, signing
from agents.models import Agent
from engine.errors import ClawError
from engine.ids import base62

SECRET_LENGTH = 43  # 256 bits, as RFC 7518 (3.2) wants them for HS256
LEEWAY = 5  # seconds; clocks differ
LONGEST_ID = 128


def new_secret(agent: Agent) -> str:
    """A new identity secret, which nobody can show again: what the one before has signed ends."""
    secret = f"claw_identity_{base62(SECRET_LENGTH)}"
    access.store_identity_secret(agent, secret)
    changes.announce(agent.organization_id)
    return secret


def drop_secret(agent: Agent) -> None:
    """Recognise nobody any more."""
    access.erase_identity_secret(agent)
    changes.announce(agent.organization_id)


def user_of(token: str, secret: str | None) -> tuple[str, int]:
    """The user whom a token names, and until when (seconds since 1970).

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
        raise ClawError(
            "invalid_token", f"The token's user_id is no text of 1 to {LONGEST_ID} characters."
        )
    return user, int(claims["exp"]) + LEEWAY  # or it would be let in and cut at once


def _is_id(user: str) -> bool:
    return 0 < len(user) <= LONGEST_ID and user.isprintable() and user.strip() == user
