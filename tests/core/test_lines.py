"""`core.lines`: a list in a form, a line for each."""

import pytest
from django.core.exceptions import ValidationError

from core.lines import LinesField


def test_it_works() -> None:
    field = LinesField(required=False)
    assert field.clean(" one \n\n two\r\n") == ["one", "two"]
    assert field.prepare_value(["one", "two"]) == "one\ntwo"
    assert field.clean("") == []


def test_what_was_typed_stays_as_it_is_when_it_is_shown_again() -> None:
    assert LinesField().prepare_value("one\n\n") == "one\n\n"


def test_only_other_lines_are_a_change() -> None:
    field = LinesField()
    assert not field.has_changed(["one", "two"], "one \n\ntwo")
    assert not field.has_changed(None, "")
    assert field.has_changed(["one"], "one\ntwo")


def test_a_list_that_is_required_must_not_be_empty() -> None:
    with pytest.raises(ValidationError):
        LinesField().clean(" \n ")
