"""The tool `ask_user`: a question to whoever talks to the agent. Its calls wait for the answer, so
they are carried out by `conversations.execution.waiting.questions`."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from engine.events.parts import ASK_USER
from engine.request import ToolSpec
from engine.text import clean
from engine.tools.builtin.base import ToolFailed, schema_of

MAX_TEXT = 2000
"""Characters of a question."""
MAX_CHOICES, MAX_CHOICE = 20, 200
"""Choices, and the characters of one: what people can look over."""

DESCRIPTION = (
    "Asks the user a question and gives the answer. Use it when you cannot go on without knowing "
    "something that only the user knows, or when the user has to choose."
)


class AskUser(msgspec.Struct, frozen=True):
    """The arguments: a question, and what may be chosen as the answer."""

    text: Annotated[str, Meta(description="The question.", max_length=MAX_TEXT)]
    choices: Annotated[
        list[Annotated[str, Meta(max_length=MAX_CHOICE)]],
        Meta(
            description="The possible answers, if the user shall choose one. Without them the user "
            "answers in their own words.",
            max_length=MAX_CHOICES,
        ),
    ] = []


def question_of(args: dict[str, Any]) -> dict[str, Any]:
    """`text`, and `choices` if there are any, of a model's arguments: none blank, none twice.

    Raises `msgspec.ValidationError`, and `ToolFailed` for a blank question."""
    given = {name: value for name, value in clean(args).items() if value is not None}
    asked = msgspec.convert(given, AskUser)
    if not (text := asked.text.strip()):
        raise ToolFailed("Give the text of the question.")
    choices = [*dict.fromkeys(filter(None, map(str.strip, asked.choices)))]
    return {"text": text, "choices": choices} if choices else {"text": text}


def spec() -> ToolSpec:
    """The tool as the model sees it. A call that a crash has cut asks the same once more."""
    schema = schema_of(AskUser)
    return ToolSpec(name=ASK_USER, description=DESCRIPTION, input_schema=schema, repeatable=True)
