"""Decode what a client sent into typed requests, with errors that name the field."""

import re
from typing import Annotated, Any, TypeAlias, TypeVar

import msgspec

from engine.errors import ClawError, invalid

T = TypeVar("T")

_PATH = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
_MISSING = re.compile(r"missing required field `(?P<field>\w+)`")
_CLIENT_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")

# The schema says what `check_client_id` and `check_text` check, which have words for it.
ClientId: TypeAlias = Annotated[
    str, msgspec.Meta(extra_json_schema={"pattern": f"^{_CLIENT_ID.pattern}$"})
]
Text: TypeAlias = Annotated[
    str, msgspec.Meta(extra_json_schema={"minLength": 1, "pattern": r"[^\s\x00]"})
]


def decode(decoder: msgspec.json.Decoder[T], data: str | bytes) -> T:
    """One JSON value of the decoder's type. Raises ClawError `invalid_message`."""
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        raise invalid(field_of(str(error)), "A field is missing or has the wrong type.") from None
    except (msgspec.DecodeError, UnicodeError):
        raise invalid("$", "This is not valid JSON.") from None
    except RecursionError:
        raise invalid("$", "The JSON is nested too deeply.") from None


def field_of(problem: str) -> str:
    """The field that a msgspec message complains about: `messages[0].role`, or `$`."""
    path = found["path"] if (found := _PATH.search(problem)) else ""
    if missing := _MISSING.search(problem):
        return f"{path}.{missing['field']}".lstrip(".")
    return path or "$"


def check_text(field: str, text: str) -> None:
    """Text for a model and a database: not empty, no NUL (PostgreSQL refuses it), no lone
    surrogate (UTF-8 has none). Raises ClawError `invalid_message`."""
    if not text.strip():
        raise invalid(field, "The text is empty.")
    if "\0" in text:
        raise invalid(field, "The text contains a NUL character.")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise invalid(field, "The text contains a lone surrogate.") from None


def check_storable(field: str, value: Any, deepest: int = 20) -> None:
    """JSON for a database: no NUL in any string (PostgreSQL refuses it), no endless nesting.

    Raises ClawError `invalid_message`."""
    if not deepest:
        raise invalid(field, "This is nested too deeply.")
    if isinstance(value, str) and "\0" in value:
        raise invalid(field, "The text contains a NUL character.")
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list):
        for part in value:
            check_storable(field, part, deepest - 1)


def check_client_id(field: str, value: str | None) -> None:
    """An id chosen by a client: 1 to 128 of `A-Za-z0-9._:-`. Raises `invalid_message`."""
    if value is not None and not _CLIENT_ID.fullmatch(value):
        raise invalid(field, "An id has 1 to 128 characters of A-Z a-z 0-9 . _ : -")


def too_large(limit: int) -> ClawError:
    """The error for a message of more than `limit` bytes."""
    return ClawError(
        "message_too_large", f"The message is larger than {limit} bytes.", details={"limit": limit}
    )


def dumps(value: Any) -> bytes:
    """Compact JSON."""
    return msgspec.json.encode(value)
