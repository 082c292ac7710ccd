"""Signed tokens: JSON Web Tokens (https://www.rfc-editor.org/rfc/rfc7519) with HS256 and no other
algorithm, whatever their header says."""

import re
import time
from typing import Any

import jwt
from jwt.types import Options

from engine.errors import ClawError

ALGORITHM = "HS256"
MAX_LENGTH = 8192  # characters; a longer token is not looked at
MAX_MOMENT = 253_370_764_800  # 9999-01-01 in seconds since 1970; milliseconds lie beyond it

_FORM = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+){2}")


class ForeignToken(Exception):
    """The token was signed with another key, or is no signed token."""


def is_signed(token: str) -> bool:
    """Whether this may be such a token: no API key has a dot in it."""
    return token.count(".") == 2


def sign(claims: dict[str, Any], key: bytes) -> str:
    """A token that says `claims`; times are seconds since 1970."""
    return jwt.encode(claims, key, algorithm=ALGORITHM)


def verify(
    token: str, key: str | bytes, *, require: list[str], leeway: int = 0, expired: bool = False
) -> dict[str, Any]:
    """The claims of a token that was signed with `key` and has those of `require`.

    `exp`, which must be among them, and `nbf` and `iat` may have a fraction (RFC 7519, 2), and the
    latter two may be null, as if they were not there. `leeway`: how many seconds the signer's
    clock may be off; `expired`: it may have expired. Raises ForeignToken, and ClawError
    `invalid_token`, `token_expired`. `aud` and `iss` are the caller's to compare."""
    if len(token) > MAX_LENGTH or not _FORM.fullmatch(token):
        raise ForeignToken
    options: Options = {
        "require": require,
        "verify_exp": False,
        "verify_nbf": False,
        "verify_iat": False,
        "verify_aud": False,
        "verify_sub": False,
        "verify_jti": False,
    }
    try:
        claims: dict[str, Any] = jwt.decode(
            token, key, algorithms=[ALGORITHM], options=options, leeway=leeway
        )
    except jwt.MissingRequiredClaimError as missing:
        raise unfit(f"This token has no “{missing.claim}”.", missing.claim) from None
    except (jwt.DecodeError, jwt.InvalidAlgorithmError):
        raise ForeignToken from None
    except (jwt.PyJWTError, RecursionError):
        raise ClawError("invalid_token", "Invalid token") from None
    ends = _moment("exp", claims["exp"])
    for claim in ("nbf", "iat"):
        if claims.get(claim) is not None and _moment(claim, claims[claim]) > time.time() + leeway:
            raise unfit("This token is not valid yet.", claim)
    if not expired and ends <= time.time() - leeway:
        raise ClawError("token_expired", "This token has expired.")
    return claims


def _moment(claim: str, value: object) -> float:
    """A NumericDate (RFC 7519, 2). Raises `invalid_token`, also for one in milliseconds."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < MAX_MOMENT:
        return value
    raise unfit(f"This token's “{claim}” is no number of seconds since 1970.", claim)


def unfit(problem: str, claim: str) -> ClawError:
    """The error for a claim that cannot be taken. The right key has signed it, so it is no guess:
    `details` tell it from a wrong credential."""
    return ClawError("invalid_token", problem, details={"claim": claim})
