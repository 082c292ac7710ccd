"""`engine.tools.builtin.ask_user`: what a model asks, as the user gets it."""

from typing import Any

import msgspec
import pytest

from engine.tools.builtin.ask_user import MAX_CHOICES, question_of, spec
from engine.tools.builtin.base import ToolFailed


def test_it_works() -> None:
    asked = {"text": "Which size?", "choices": ["Small", "Large"]}
    assert question_of(asked) == asked
    assert question_of({"text": " Which?\n", "choices": None, "more": 1}) == {"text": "Which?"}


def test_the_model_sees_the_question_and_the_choices() -> None:
    schema = spec().input_schema
    assert (spec().name, schema["required"]) == ("ask_user", ["text"])
    assert schema["properties"]["choices"]["maxItems"] == MAX_CHOICES
    assert all(field["description"] for field in schema["properties"].values())


def test_no_choice_is_blank_or_there_twice() -> None:
    asked = question_of({"text": "Which?", "choices": ["a", " ", "a ", "b\0"]})
    assert asked["choices"][0] == "a" and len(asked["choices"]) == 2
    assert "\0" not in asked["choices"][1]
    assert question_of({"text": "Which?", "choices": [""]}) == {"text": "Which?"}


@pytest.mark.parametrize("args", [{}, {"text": 1}, {"text": "x" * 2001}, {"choices": "a"}])
def test_what_is_no_question(args: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        question_of(args if "text" in args or not args else {"text": "Which?"} | args)


def test_a_blank_question() -> None:
    with pytest.raises(ToolFailed):
        question_of({"text": " \n"})
