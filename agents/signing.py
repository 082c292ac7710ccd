"""Signed tokens: JSON Web Tokens (https://www.rfc-editor.org/rfc/rfc7519) with HS256 and no other
algorithm, whatever their header says."""

import re
from typing import Any

import jwt

from engine.errors import ClawError

ALGORITHM = "HS256"
LONGEST = 8192  # characters; what is longer is not even looked at

_FORM = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+){2}")


class ForeignToken(Exception):
    """Signed by somebody else, or no signed token at all."""


def is_signed(token: str) -> bool:
    """Whether this may be such a token: no API key has a dot in it."""
    return token.count(".") == 2


def sign(claims: dict[str, Any], key: bytes) -> str:
    """A token that says `claims`; times are seconds since 1970."""
    return jwt.encode(claims, key, algorithm=ALGORITHM)


def verify(
    token: str, key: str | bytes, *, require: list[str], leeway: int = 0, expired: bool = False
) -> dict[str, Any]:
    """What a token says that was signed with `key` and has the claims of `require`.

    `leeway`: how many seconds the signer's clock may be off; `expired`: it may have expired.
    Raises ForeignToken, and ClawError `invalid_token`, `token_expired`. `aud` and `iss` are the
    caller's to compare."""
    if len(token) > LONGEST or not _FORM.fullmatch(token):
        raise ForeignToken
    options = {
        "require": require,
        "verify_exp": not expired,
        **dict.fromkeys(("verify_aud", "verify_sub", "verify_jti"), False),
    }
    try:
        claims: dict[str, Any] = jwt.decode(
            token, key, algorithms=[ALGORITHM], options=options, leeway=leeway
        )
    except jwt.ExpiredSignatureError:
        raise ClawError("token_expired", "This token has expired.") from None
    except (jwt.DecodeError, jwt.InvalidAlgorithmError):
        raise ForeignToken from None
    except (jwt.PyJWTError, RecursionError):
        raise ClawError("invalid_token", "Invalid token") from None
    return claims
