"""Decode what a client sent into typed requests, with errors that name the field."""

import re
from datetime import datetime
from typing import Annotated, Any, TypeAlias, TypeVar

import msgspec
import msgspec.inspect

from engine.errors import ClawError, invalid

T = TypeVar("T")

_PATH = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
_MISSING = re.compile(r"missing required field `(?P<field>\w+)`")
_UNKNOWN = re.compile(r"contains unknown field `(?P<field>.*?)`(?: - at .*)?$", re.S)
_CLIENT_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")

_BOUND = re.compile(
    r"Expected `(?P<type>\w+)` (?P<length>of length )?(?P<sign><=|>=) (?P<number>\d+)"
)
_UNITS = {"str": " characters", "array": " entries", "object": " entries"}

MAX_INTEGER = 2**63 - 1
MAX_FIELD = 100  # characters of a name that a client made up, in an error
WRONG = "A field is missing or has the wrong type."
OTHER_FORM = "This has another form: see its description in the documentation."

# The schema says what `check_client_id` and `check_text` check: those have clearer errors.
ClientId: TypeAlias = Annotated[
    str, msgspec.Meta(extra_json_schema={"pattern": f"^{_CLIENT_ID.pattern}$"})
]
Text: TypeAlias = Annotated[
    str, msgspec.Meta(extra_json_schema={"minLength": 1, "pattern": r"[^\s\x00]"})
]

Name: TypeAlias = Annotated[str, msgspec.Meta(extra_json_schema={"minLength": 1})]
"""An id, a name or a token. Where it is looked up, an empty one is refused."""

Moment: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]
"""A time with its zone (RFC 3339)."""


def decode(decoder: msgspec.json.Decoder[T], data: str | bytes) -> T:
    """One JSON value of the decoder's type. Raises ClawError `invalid_message`."""
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        field = field_of(str(error))
        if _UNKNOWN.search(str(error)):
            raise invalid(field, "There is no such field.") from None
        words = choices(decoder.type, field) if "Invalid" in str(error) else []
        text = f"This is one of: {', '.join(words)}." if words else problem_of(str(error))
        raise invalid(field, text) from None
    except (msgspec.DecodeError, UnicodeError):
        raise invalid("$", "This is not valid JSON.") from None
    except RecursionError:
        raise invalid("$", "The JSON is nested too deeply.") from None


def choices(type_: Any, field: str) -> list[str]:
    """The words that a field may have, such as the types of frames. Empty if it takes other
    values."""
    found = [msgspec.inspect.type_info(type_)]
    for part in re.findall(r"\w+|\[", field):
        following: list[msgspec.inspect.Type] = []
        for kind in _alternatives(found):
            if isinstance(kind, msgspec.inspect.ListType) and part == "[":
                following.append(kind.item_type)
            elif isinstance(kind, msgspec.inspect.StructType):
                if kind.tag_field == part:
                    following.append(msgspec.inspect.LiteralType((kind.tag,)))
                following += [each.type for each in kind.fields if each.encode_name == part]
        found = following or found if part.isdigit() else following
    kinds = _alternatives(found)
    words = [word for kind in kinds for word in getattr(kind, "values", ())]
    others = [kind for kind in kinds if not hasattr(kind, "values")]
    return [] if any(not isinstance(kind, msgspec.inspect.NoneType) for kind in others) else words


def _alternatives(kinds: list[msgspec.inspect.Type]) -> list[msgspec.inspect.Type]:
    flat: list[msgspec.inspect.Type] = []
    for kind in kinds:
        if isinstance(kind, msgspec.inspect.Metadata):
            kind = kind.type
        flat += kind.types if isinstance(kind, msgspec.inspect.UnionType) else (kind,)
    return flat


def field_of(problem: str) -> str:
    """The field that a msgspec message complains about: `messages[0].role`, or `$`."""
    path = found["path"] if (found := _PATH.search(problem)) else ""
    if named := _MISSING.search(problem) or _UNKNOWN.search(problem):
        return f"{path}.{named['field'][:MAX_FIELD]}".lstrip(".")
    return path or "$"


def problem_of(problem: str) -> str:
    """The problem that a msgspec message names, in words for the author of the value."""
    if _UNKNOWN.search(problem):
        return "There is no such field."
    if bound := _BOUND.match(problem):
        unit = _UNITS.get(bound["type"], "") if bound["length"] else ""
        most = "at most" if bound["sign"] == "<=" else "at least"
        return f"This {'has' if unit else 'is'} {most} {bound['number']}{unit}."
    return OTHER_FORM if "matching regex" in problem else WRONG


def check_text(field: str, text: str) -> None:
    """Check a text for a model and a database: not empty, no NUL (PostgreSQL refuses it), no lone
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
    """Check JSON for a database: no NUL in a string (PostgreSQL refuses it), no whole number beyond
    64 bits, no deep nesting.

    Raises ClawError `invalid_message`."""
    if not deepest:
        raise invalid(field, "This is nested too deeply.")
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        raise invalid(field, "A number is too large.")
    if isinstance(value, str) and "\0" in value:
        raise invalid(field, "The text contains a NUL character.")
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list):
        for part in value:
            check_storable(field, part, deepest - 1)


def check_client_id(field: str, value: str | None) -> None:
    """Check an id that a client chose: 1 to 128 of `A-Za-z0-9._:-`. Raises `invalid_message`."""
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
