"""The form of an API key: `claw_<live|test>_<32 random base62>_<checksum>`.

The fixed start makes keys easy to find for secret scanners, the checksum (CRC-32 in base62 of all
that stands before it) tells a key from a typing error without asking the database."""

import hashlib
import hmac
import re
import zlib

from django.conf import settings

from engine.errors import ClawError
from engine.ids import ALPHABET, base62

RANDOM_LENGTH = 32  # 190 bits: out of reach even with the visible parts
CHECKSUM_LENGTH = 6  # 62**6 > 2**32
VISIBLE_RANDOM = 8

_FORM = re.compile(
    rf"(claw_(?:live|test)_[0-9A-Za-z]{{{RANDOM_LENGTH}}})_([0-9A-Za-z]{{{CHECKSUM_LENGTH}}})"
)


def generate() -> str:
    """A fresh key: `live`, or `test` on an installation in DEBUG."""
    kind = "test" if settings.DEBUG else "live"
    head = f"claw_{kind}_{base62(RANDOM_LENGTH)}"
    return f"{head}_{_checksum(head)}"


def read(token: str) -> str:
    """The digest of a key. Raises `invalid_token` for what cannot be a key."""
    match = _FORM.fullmatch(token)
    if match is None or not hmac.compare_digest(_checksum(match[1]), match[2]):
        raise ClawError("invalid_token", "Invalid token")
    return digest(token)


def digest(token: str) -> str:
    """SHA-256 in hex: enough for a random secret of this length, which no dictionary holds."""
    return hashlib.sha256(token.encode()).hexdigest()


def visible_parts(token: str) -> tuple[str, str]:
    """The prefix and the last four characters, by which its owner recognises a key."""
    return token[: len("claw_live_") + VISIBLE_RANDOM], token[-4:]


def _checksum(head: str) -> str:
    number, text = zlib.crc32(head.encode()), ""
    for _ in range(CHECKSUM_LENGTH):
        number, rest = divmod(number, len(ALPHABET))
        text = ALPHABET[rest] + text
    return text
