"""`engine.tools.mcp.form`: what a server asks, as a question."""

from typing import Any

import pytest

from engine.tools.mcp.form import CONFIRM, MAX_FIELDS, form_of


def fields(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def test_it_works() -> None:
    form = form_of(" Your name? ", fields(name={"type": "string"}))
    assert form is not None
    assert (form.text, form.choices, form.schema) == ("Your name?", None, None)
    assert form.content("Ada") == {"name": "Ada"}


def test_a_field_with_choices_is_a_question_with_choices() -> None:
    form = form_of("Size?", fields(size={"type": "string", "enum": ["S", "L"]}))
    assert form is not None and form.choices == ["S", "L"]
    assert form.content("S") == {"size": "S"}


def test_several_fields_are_a_json_object_with_defaults() -> None:
    schema = fields(name={"type": "string", "default": "Ada"}, age={"type": "integer"})
    form = form_of("Who?", schema)
    assert form is not None and form.schema == schema
    assert form.content('{"age": 7, "more": 1}') == {"name": "Ada", "age": 7}
    assert form.content("") == {"name": "Ada"}
    with pytest.raises(ValueError, match="no JSON object"):
        form.content("[1]")


def test_a_form_without_fields_is_confirmed() -> None:
    form = form_of("Go on?", fields())
    assert form is not None and form.choices == [CONFIRM]
    assert form.content(CONFIRM) == {}


@pytest.mark.parametrize(
    ("message", "schema"),
    [
        (" ", fields()),
        ("?", {"type": "object"}),
        ("?", {"properties": []}),
        ("?", fields(**{f"f{n}": {} for n in range(MAX_FIELDS + 1)})),
    ],
)
def test_what_cannot_be_asked_is_no_question(message: str, schema: dict[str, Any]) -> None:
    assert form_of(message, schema) is None
