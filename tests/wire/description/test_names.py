"""`wire.description.names`: fields as clients read them."""

import pytest

from wire.description.names import camel, in_camel_case


@pytest.mark.parametrize(
    ("name", "expected"), [("retry_after", "retryAfter"), ("id", "id"), ("a_b_c", "aBC")]
)
def test_it_works(name: str, expected: str) -> None:
    assert camel(name) == expected


def test_only_names_in_backticks_change() -> None:
    assert in_camel_case("The `last_seq` of last_seq.") == "The `lastSeq` of last_seq."
