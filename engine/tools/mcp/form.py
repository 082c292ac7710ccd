"""Turns an elicitation of an MCP server, in the middle of a call, into a question.

https://modelcontextprotocol.io/specification/2025-11-25/client/elicitation, read on 2026-11-30."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import msgspec

from engine.text import clean

MAX_TEXT = 2000
"""Characters of a question."""
MAX_FIELDS = 50
"""Fields of one form."""
CONFIRM = "OK"
"""The choice of a form without fields."""


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """A question, and what its answer has to be: one of `choices`, a JSON object that fits
    `schema`, or any text. `field` is the one field that the answer is for."""

    text: str
    choices: list[str] | None = None
    schema: dict[str, Any] | None = None
    field: str | None = None

    def content(self, answer: str) -> dict[str, Any]:
        """The fields as the server gets them. Those that are missing have their defaults. Raises
        `ValueError` for an answer that is no JSON object where one is wanted."""
        if self.field is not None:
            return {self.field: answer}
        if self.schema is None:
            return {}
        return with_defaults(answer, self.schema)


Ask: TypeAlias = Callable[[Form], Awaitable[str | None]]
"""Asks whoever talks to the agent; None if they do not answer."""


def form_of(message: str, schema: dict[str, Any]) -> Form | None:
    """The question for a request of a server; None if it cannot be asked."""
    text, schema = clean(message).strip()[:MAX_TEXT], clean(schema)
    fields = schema.get("properties")
    if not text or not isinstance(fields, dict) or len(fields) > MAX_FIELDS:
        return None
    if not fields:
        return Form(text=text, choices=[CONFIRM])
    if len(fields) == 1:
        ((name, field),) = fields.items()
        if isinstance(field, dict) and field.get("type") == "string":
            choices = field.get("enum")
            listed = isinstance(choices, list) and all(isinstance(one, str) for one in choices)
            return Form(text=text, choices=choices if listed and choices else None, field=name)
    return Form(text=text, schema=schema)


def with_defaults(answer: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The JSON object of an answer, with the defaults of the fields that it lacks. Raises
    `ValueError` for any other text."""
    try:
        given = msgspec.json.decode(answer or "{}", type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError):
        raise ValueError("The answer is no JSON object.") from None
    fields = schema.get("properties", {})
    defaults = {
        name: field["default"]
        for name, field in fields.items()
        if isinstance(field, dict) and "default" in field
    }
    return defaults | {name: value for name, value in given.items() if name in fields}
