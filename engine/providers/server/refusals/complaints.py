"""Reads the complaint of a model server in any form: from JSON to names, texts and a status.

The forms are those of OpenAI, Anthropic and Google, of FastAPI (`detail`), of AWS (`__type`), and
of gateways that put one of these into another, also as text within a text.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from engine.providers.server.refusals.waits import parse_wait

MAX_DEPTH, MAX_VALUES = 8, 200  # within one another, and in all: no error needs more
MAX_CHARS = 2000  # of one text or name

NAME_KEYS = frozenset(
    {"code", "type", "status", "reason", "__type", "errortype", "errorcode", "statuscode", "title"}
)
TEXT_KEYS = frozenset(
    {"message", "msg", "detail", "error", "errors", "errormessage", "errormsg", "errordescription"}
    | {"statusmsg", "description", "raw", "hint"}
)
ERROR_FIELDS = ("error_code", "error_msg", "error_message", "errorCode", "errorMessage", "__type")
"""Fields that only an error has."""
REMARKS = ("detail", "msg")
"""Fields that an error has, and that gateways add to the chunks of an answer too; a `message` is
one if it is a text."""
CODES = ("code", "status", "status_code", "statusCode")


@dataclass(slots=True)
class Complaint:
    """Everything that was said, flat."""

    names: list[str] = field(default_factory=list)
    """Codes and types, as they were written."""
    statuses: list[int] = field(default_factory=list)
    """Numbers that are HTTP statuses, of errors."""
    texts: list[str] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)
    """Which fields of the request it is about."""
    headers: dict[str, str] = field(default_factory=dict)
    """Those that a gateway repeats of the server behind it."""
    wait: int | None = None  # milliseconds

    def words(self) -> str:
        """For a log."""
        parts = [" ".join(dict.fromkeys(said)) for said in (self.names, self.texts)]
        return ": ".join(filter(None, parts))


def says(error: Any, depth: int = 0) -> bool:
    """Whether the value of an `error` field is one: not null, `{}` or fields that are all empty."""
    inner = error.values() if isinstance(error, dict) else error if isinstance(error, list) else ()
    if inner and depth < MAX_DEPTH:
        return any(says(value, depth + 1) for value in inner)
    return bool(error)


def is_complaint(said: Any, *, answering: bool = False) -> bool:
    """Whether this JSON reports an error, and is no part of an answer.

    `answering`: an answer has begun. A remark is no error there, nor where there are `choices`."""
    if isinstance(said, list):
        return bool(said) and all(
            isinstance(item, dict) and is_complaint(item, answering=answering) for item in said
        )
    if not isinstance(said, dict):
        return False
    if says(said.get("error")) or says(said.get("errors")) or "error" in _kinds(said):
        return True
    if said.get("choices") or said.get("usage") or said.get("type") == "message":
        return False
    if any(says(said.get(name)) for name in ERROR_FIELDS) or _failed(said):
        return True
    return not answering and "choices" not in said and remarks(said)


def remarks(said: Any) -> bool:
    """Whether this JSON says something in words, which may be of an error."""
    if not isinstance(said, dict):
        return False
    return any(said.get(name) for name in REMARKS) or isinstance(said.get("message"), str)


def _kinds(said: Mapping[str, Any]) -> list[Any]:
    return [said.get(name) for name in ("type", "object", "status")]


def _failed(said: Mapping[str, Any]) -> bool:
    """Whether one of its codes is a status of an error, or not the 0 of MiniMax."""
    reply = said.get("base_resp")
    if isinstance(reply, dict) and says(reply.get("status_code")):
        return True
    return any(_status(said.get(name)) for name in CODES)


def read_body(body: bytes) -> Complaint:
    """The complaint in the body of a refusal: JSON, or else text."""
    text = body.decode(errors="replace").strip("\ufeff \t\r\n")
    parsed = _parsed(text)
    return read_complaint(text if parsed is None else parsed)


def read_complaint(said: Any) -> Complaint:
    """The complaint in any JSON value."""
    complaint = Complaint()
    for count, (key, value) in enumerate(_walk("error", said, 0)):
        if count >= MAX_VALUES:
            break
        _take(complaint, key, value)
    return complaint


def _take(complaint: Complaint, key: str, value: Any) -> None:
    """One value and the name of what holds it."""
    plain = key.lower().replace("_", "").replace("-", "")
    if key == "__type":
        complaint.names.append(str(value)[:MAX_CHARS])
    elif plain in ("param", "loc"):
        if value in (None, "", "None", "null"):  # some gateways write the word
            return
        parts = value if isinstance(value, list) else [value]
        complaint.fields.append(".".join(str(part) for part in parts[:MAX_DEPTH])[:MAX_CHARS])
    elif plain in ("retrydelay", "retryafter", "retryafterseconds", "retryafterms"):
        _take_wait(complaint, plain, value)
    elif plain == "headers" and isinstance(value, dict):
        pairs = list(value.items())[:MAX_VALUES]
        complaint.headers |= {str(name).lower(): str(said) for name, said in pairs}
    elif isinstance(value, bool | dict | list) or value is None:
        return
    elif plain in NAME_KEYS | {"error"} and (status := _status(value)):
        complaint.statuses.append(status)
    elif plain in NAME_KEYS or (isinstance(value, str) and " " not in value.strip()):
        if plain in NAME_KEYS | TEXT_KEYS:
            complaint.names.append(str(value)[:MAX_CHARS])
    elif plain in TEXT_KEYS and isinstance(value, str):
        complaint.texts.append(value[:MAX_CHARS])


def _take_wait(complaint: Complaint, key: str, value: Any) -> None:
    if isinstance(value, dict):  # a duration of protobuf
        value = value.get("seconds")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return
    text = f"{value}ms" if key.endswith("ms") else str(value)
    # A time needs a clock; here nobody was seen to send one.
    complaint.wait = parse_wait(text, 0)


def _walk(key: str, value: Any, depth: int) -> Iterator[tuple[str, Any]]:
    """All values with the name of what holds them, the outer ones first."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        parsed = _parsed(value)
        value = value if parsed is None else parsed
    yield key, value
    if depth >= MAX_DEPTH:
        return
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _walk(str(name), inner, depth + 1)
    elif isinstance(value, list) and key != "loc":
        for inner in value:
            yield from _walk(key, inner, depth + 1)


def _parsed(text: str) -> Any:
    """The JSON that a text is, or None."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return None


def _status(value: Any) -> int | None:
    """The HTTP status that a code is, as a number or a text."""
    text = str(value) if isinstance(value, int) else str(value).strip()
    return int(text) if len(text) == 3 and text.isdecimal() and "400" <= text < "600" else None
