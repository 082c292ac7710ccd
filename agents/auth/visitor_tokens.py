"""Visitors' tokens: short-lived, signed by this installation, good for one agent and one page."""

import hmac
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from agents.auth import signing
from agents.public.visited import VisitedAgent
from engine.errors import ClawError

ISSUER = "clawsite"
RENEWABLE = 30 * 24 * 60 * 60  # seconds after its end in which a token can still be renewed
CLAIMS = ["iss", "aud", "sub", "origin", "via", "iat", "exp"]


@dataclass(frozen=True, kw_only=True)
class VisitorToken:
    """The claims of a token. `via` is the voucher of a user (`VisitedAgent.voucher`)."""

    agent_id: str
    visitor_id: str
    origin: str
    via: str
    expires_at: datetime


def issue(agent: VisitedAgent, visitor_id: str, origin: str) -> tuple[str, datetime]:
    """A token, and when it ends."""
    now = int(time.time())
    ends = now + int(settings.CLAW_VISITOR_TTL)
    claims = {
        "iss": ISSUER,
        "aud": agent.config.id,
        "sub": visitor_id,
        "origin": origin,
        "via": agent.voucher(visitor_id),
        "iat": now,
        "exp": ends,
    }
    return signing.sign(claims, _keys()[0]), datetime.fromtimestamp(ends, UTC)


def read(token: str, *, renewing: bool = False) -> VisitorToken:
    """Read a token of this installation. For renewing it may have ended, but not too long ago.

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


def _claims(token: str, *, expired: bool) -> dict[str, Any]:
    *earlier, last = _keys()
    for key in earlier:
        try:
            return signing.verify(token, key, require=CLAIMS, expired=expired)
        except signing.ForeignToken:
            continue
    return signing.verify(token, last, require=CLAIMS, expired=expired)


def _keys() -> list[bytes]:
    """The signing keys, the present one first: derived for this purpose from the secret keys."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [hmac.digest(secret.encode(), b"clawsite.visitors", "sha256") for secret in secrets]
