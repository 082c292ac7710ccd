"""`scripts.export_types`: the types of the JavaScript client are those of the schema."""

import re

from engine.events import TAGS
from scripts.export_types import PATH, text


def test_the_types_are_current() -> None:
    """`python -m scripts.export_types` writes them."""
    assert PATH.read_text("utf-8") == text()


def test_every_event_that_a_client_gets_has_a_type() -> None:
    declared = set(re.findall(r'^  type: "(\w+)";$', text(), re.MULTILINE))
    assert declared >= {tag for kind, tag in TAGS.items() if not kind.internal}


def test_comments_name_fields_as_they_are_in_json() -> None:
    assert "`retryAfter` in milliseconds" in text()
    assert not re.search(
        r"`[a-z]+_[a-z_]+`", "".join(re.findall(r"/\*\*.*?\*/", text(), re.DOTALL))
    )


def test_what_is_absent_is_not_null() -> None:
    assert "  retryAfter?: number;\n" in text()
    assert "  cost: number | null;\n" in text()
