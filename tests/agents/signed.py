"""Tokens as a customer's server, or somebody with bad intentions, would make them."""

import base64
import json
import time
from typing import Any

import jwt


def minted(secret: str, *, algorithm: str = "HS256", **claims: Any) -> str:
    """A token signed with `secret`; it ends in a minute unless `claims` say otherwise."""
    said = {"exp": int(time.time()) + 60, **claims}
    return jwt.encode(
        {name: value for name, value in said.items() if value is not None},
        secret,
        algorithm=algorithm,
    )


def part(value: Any) -> str:
    """One of a token's three parts."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def resigned(token: str, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """The token with other claims or another header, and its old signature."""
    head, payload, signature = token.split(".")
    padded = payload + "=" * (-len(payload) % 4)
    said = json.loads(base64.urlsafe_b64decode(padded)) | claims
    return ".".join([part(header) if header else head, part(said), signature])


def unsigned(token: str) -> str:
    """The token with `alg: none` and no signature (CVE-2015-9235 and its many children)."""
    header, payload, _ = resigned(token, {"alg": "none", "typ": "JWT"}).split(".")
    return f"{header}.{payload}."
