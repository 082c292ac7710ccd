"""Signatures of Standard Webhooks
(https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md)."""

import base64
import hmac
import secrets
from collections.abc import Iterable

PREFIX = "whsec_"
SECRET_BYTES = 32
"""The specification has 24 to 64."""


def new_secret() -> str:
    """A fresh secret, as it is shown: `whsec_` and base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def headers(message_id: str, seconds: int, body: str, keys: Iterable[str]) -> dict[str, str]:
    """The three headers of a message that is sent at this Unix time, with one signature for each
    secret."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(_signed(message_id, seconds, body, key) for key in keys),
    }


def _signed(message_id: str, seconds: int, body: str, secret: str) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signature = hmac.digest(key, f"{message_id}.{seconds}.{body}".encode(), "sha256")
    return f"v1,{base64.b64encode(signature).decode()}"
