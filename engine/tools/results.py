"""Results of tools, made to fit the log and the model."""

from typing import Any

import msgspec

from engine.providers.server.decoder import check_nesting
from engine.text import clean

NOTE = "\n[The result was cut here: it has {size} bytes.]"


def bounded(result: Any, most: int) -> Any:
    """The result without characters that no database takes, its JSON in at most `most` bytes. A
    longer result becomes a text that ends with a note for the model.

    Raises `ValueError` for what is no JSON, or nested too deeply."""
    try:
        value = clean(result)
        data = msgspec.json.encode(value)
        check_nesting(data)
    except (TypeError, ValueError, RecursionError, OverflowError) as error:
        raise ValueError(f"a result that is no JSON: {type(error).__name__}") from None
    if len(data) <= most:
        return value
    note = NOTE.format(size=len(data))
    text = value if isinstance(value, str) else data.decode()
    return _cut(text, most - len(msgspec.json.encode(note))) + note


def _cut(text: str, most: int) -> str:
    """The beginning of `text` whose JSON has at most `most` bytes."""
    text = text[: max(most, 0)]
    while (size := len(msgspec.json.encode(text))) > most and text:
        text = text[: len(text) * most // size]
    return text
