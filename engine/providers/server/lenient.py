"""Reads what the strict reader of a model server's answer refuses. It is slower.

`null` is absence everywhere. A text may be a string, a number, an object that holds one, or a list
of such; a number may be a string. Data that cannot be understood is left out.
"""

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from engine.text import clean, storable

DONE = "[DONE]"
FIELD = "data:"
"""Stands before the JSON of an event that a server has framed twice."""
MAX_DEPTH = 100
"""Objects and lists within one another. A model's answer goes through recursive code (ours, and a
database's encoder) that gives up at about 480."""
MAX_COUNT = 2**31
"""A larger count of tokens is not believed, since somebody would pay for it."""

THINKING = frozenset({"thinking", "thought", "reasoning", "reasoning_text", "summary_text"})
"""Types of parts whose text is the model's reasoning."""
SILENT = frozenset({"citation", "document", "search_result", "tool_result"})
"""Types of parts whose text is not the model's own."""
TEXT_FIELDS = ("text", "content", "value", "parts", "output_text")
THINKING_FIELDS = ("thinking", "reasoning", "reasoning_content", "summary")


def read_json(data: bytes) -> Iterator[Any]:
    """The JSON values of `data`, and `DONE` for that word: there are several where an event lacks
    its empty line.

    Raw control characters are taken; what is no UTF-8 comes as lone surrogates, for a
    `engine.text.Joiner`. Words that hold no object, such as `ping`, say nothing. Raises
    `msgspec.DecodeError`."""
    text = data.decode(errors="surrogateescape")
    place = 0
    while (place := _skip_blanks(text, place)) < len(text):
        if text.startswith(FIELD, place):
            place += len(FIELD)
            continue
        if text[place : place + len(DONE)].upper() == DONE:
            value, place = DONE, place + len(DONE)
        else:
            try:
                value, place = _decoder.raw_decode(text, place)
            except (ValueError, RecursionError) as error:
                if "{" not in text[place:]:
                    return
                raise msgspec.DecodeError(str(error)) from None
            check_depth(value)
        yield value


def check_depth(value: Any) -> None:
    """Raises `msgspec.DecodeError` for what is nested deeper than `MAX_DEPTH`."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [inner for outer in level for inner in _within(outer)]
        if not level:
            return
    raise msgspec.DecodeError("nested too deeply")


class Speech:
    """The texts within a value: content, thinking and refusals. They may hold lone surrogates."""

    __slots__ = ("refusal", "text", "thinking")

    def __init__(self, value: Any) -> None:
        self.text = self.thinking = self.refusal = ""
        self._take(value, "text")

    def _take(self, value: Any, kind: str) -> None:
        if isinstance(value, str):
            setattr(self, kind, getattr(self, kind) + value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            self._take(str(value), kind)
        elif isinstance(value, list):
            for item in value:
                self._take(item, kind)
        elif isinstance(value, dict):
            self._take_part(value, kind)

    def _take_part(self, part: dict[str, Any], kind: str) -> None:
        said = str(part.get("type")).lower()
        if said in SILENT:
            return
        if said in THINKING or part.get("thought") is True:
            kind = "thinking"
        elif said == "refusal":
            kind = "refusal"
        self._take(first_of(part, THINKING_FIELDS), "thinking")
        self._take(first_of(part, TEXT_FIELDS), kind)
        self._take(part.get("refusal"), "refusal")


def first_of(fields: dict[str, Any], names: tuple[str, ...]) -> Any:
    """The first of these fields that is there and not null."""
    return next((fields[name] for name in names if fields.get(name) is not None), None)


def text_of(value: Any) -> str:
    """All texts within a value, whatever its parts are called."""
    said = Speech(value)
    return said.thinking + said.text + said.refusal


def count_of(value: Any) -> int | None:
    """A count or an index; None for any other value and for an absurd number."""
    if type(value) is int:  # nearly always
        return value if 0 <= value < MAX_COUNT else None
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value < MAX_COUNT else None


def name_of(value: Any) -> str | None:
    """An id or a name, which may be a number; None for an empty one and any other value."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    return (storable(value) or None) if isinstance(value, str) else None


def object_of(value: Any) -> dict[str, Any] | None:
    """An object, of texts that can be stored."""
    return clean(value) if isinstance(value, dict) else None


def arguments_of(value: Any) -> str | None:
    """The arguments of a tool call as JSON text, which may hold lone surrogates."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list):
        return text_of(value)
    return json.dumps(clean(value), ensure_ascii=False)


def read_arguments(text: str) -> dict[str, Any]:
    """The JSON object of a text that a strict reader refused. It may be quoted once more,
    said twice, and stand beside empty ones. Raises `msgspec.DecodeError`."""
    values = [value for value in read_json(text.encode(errors="surrogatepass")) if value != {}]
    if len(values) == 1 and isinstance(values[0], str):
        values = [value for value in read_json(storable(values[0]).encode()) if value != {}]
    if not values and "{" in text:
        return {}
    if any(value != values[0] for value in values[1:]):
        values = []
    if not values or (arguments := object_of(values[0])) is None:
        raise msgspec.DecodeError("arguments that are no object")
    return arguments


def _whole_number(digits: str) -> int | float:
    """The number; as a float if it has more than 64 bits, which no event could hold."""
    return int(digits) if len(digits) < 19 else float(digits)


_decoder = json.JSONDecoder(strict=False, parse_int=_whole_number)


def _skip_blanks(text: str, place: int) -> int:
    while place < len(text) and (text[place].isspace() or text[place] in "\ufeff\0"):
        place += 1
    return place


def _within(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
