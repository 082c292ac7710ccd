"""Visitors: people on a web page. Each is known by a short-lived token of ours, which is good for
one agent, from one origin; it is renewed silently, and names the visitor for as long as they come.

A visitor's id is `anon:<random>`, which we make, or `user:<id>` of a user whom the agent's own
organisation recognises (`agents.identity`); nobody chooses one."""

import hashlib
import hmac
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from agents import signing
from agents.caller import Address, Caller
from agents.visited import VisitedAgent
from engine.errors import ClawError
from engine.ids import base62

ISSUER = "clawsite"
RENEWABLE = 30 * 24 * 60 * 60  # seconds after its end in which a token can still be renewed
SCOPES = frozenset({"chat", "conversations:read", "conversations:write"})
CLAIMS = ["iss", "aud", "sub", "origin", "via", "iat", "exp"]
ANONYMOUS, USER = "anon", "user"


@dataclass(frozen=True, kw_only=True)
class VisitorToken:
    """What a token of ours says. `via` tells which identity secret has vouched for a user."""

    agent_id: str
    visitor_id: str
    origin: str
    via: str
    expires_at: datetime


def new_visitor() -> str:
    """The id of somebody who has never been here."""
    return f"{ANONYMOUS}:{base62(22)}"


def user(user_id: str) -> str:
    """The id of an organisation's own user."""
    return f"{USER}:{user_id}"


def issue(agent: VisitedAgent, visitor_id: str, origin: str) -> tuple[str, datetime]:
    """A token, and when it ends."""
    now = int(time.time())
    ends = now + int(settings.CLAW_VISITOR_TTL)
    claims = {
        "iss": ISSUER,
        "aud": agent.config.id,
        "sub": visitor_id,
        "origin": origin,
        "via": _via(agent, visitor_id),
        "iat": now,
        "exp": ends,
    }
    return signing.sign(claims, _keys()[0]), datetime.fromtimestamp(ends, UTC)


def read(token: str, *, renewing: bool = False) -> VisitorToken:
    """What a token of ours says; for renewing it may have ended, but not for too long.

    Raises `ForeignToken`, `invalid_token` and `token_expired`."""
    claims = _claims(token, expired=renewing)
    if renewing and time.time() >= claims["exp"] + RENEWABLE:
        raise ClawError("token_expired", "This token ended too long ago to be renewed.")
    return VisitorToken(
        agent_id=claims["aud"],
        visitor_id=claims["sub"],
        origin=claims["origin"],
        via=claims["via"],
        expires_at=datetime.fromtimestamp(claims["exp"], UTC),
    )


def check_vouched(token: VisitorToken, agent: VisitedAgent) -> None:
    """Raises `invalid_token` for a user whom the agent's identity secret does not vouch for now."""
    if not hmac.compare_digest(token.via, _via(agent, token.visitor_id)):
        raise ClawError("invalid_token", "Invalid token")


def caller(agent: VisitedAgent, visitor_id: str, expires_at: datetime, *, readable: bool) -> Caller:
    """The visitor as one who asks this agent; `readable`: a page may read the answers."""
    return caller_of(agent, owner(visitor_id), expires_at, readable=readable)


def owner(visitor_id: str) -> str:
    """Whose conversations these are: `visitor:<id>` or `user:<id>`."""
    kind, _, name = visitor_id.partition(":")
    return visitor_id if kind == USER else f"visitor:{name}"


def caller_of(agent: VisitedAgent, owner: str, expires_at: datetime, *, readable: bool) -> Caller:
    """The same for the visitor who owns such conversations."""
    return Caller(
        organization_id=agent.config.organization_id,
        owner=owner,
        scopes=SCOPES,
        agent=agent.config,
        trusted=False,
        expires_at=expires_at,
        requests_per_minute=settings.CLAW_VISITOR_REQUESTS_PER_MINUTE,
        messages_per_minute=agent.messages_per_minute,
        messages_per_day=agent.messages_per_day,
        origin_allowed=readable,
    )


def page(origin: str | None, address: Address) -> str | None:
    """The origin of the page that asks: what its browser says or, where browsers say nothing (a
    GET to the page's own host), that host's; None for other programs."""
    return address.site if origin is None and address.same_origin else origin


def _claims(token: str, *, expired: bool) -> dict[str, Any]:
    *earlier, last = _keys()
    for key in earlier:
        try:
            return signing.verify(token, key, require=CLAIMS, expired=expired)
        except signing.ForeignToken:
            continue
    return signing.verify(token, last, require=CLAIMS, expired=expired)


def _via(agent: VisitedAgent, visitor_id: str) -> str:
    """Not the secret itself: a trace of it, so that with a new secret all it vouched for ends."""
    if not visitor_id.startswith(f"{USER}:"):
        return ""
    secret = agent.identity_secret or ""
    return hashlib.sha256(f"clawsite.via:{secret}".encode()).hexdigest()[:16]


def _keys() -> list[bytes]:
    """The signing keys, the present one first: made for this purpose from the secret keys."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [hmac.digest(secret.encode(), b"clawsite.visitors", "sha256") for secret in secrets]
