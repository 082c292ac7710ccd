import pytest

from engine.providers.server.refusals.faults import MESSAGES, fault, without
from wire.errors import HTTP_STATUS


def test_it_works() -> None:
    error = fault("upstream_overloaded", "busy", retry_after=3000)
    assert (error.code, error.retryable, error.retry_after) == ("upstream_overloaded", True, 3000)
    assert error.retry_after == 3000
    assert "busy" in error.reason and "busy" not in error.message


def test_every_code_of_a_model_server_has_words() -> None:
    assert set(MESSAGES) == {code for code in HTTP_STATUS if code.startswith("upstream_")}


def test_a_reason_is_short() -> None:
    assert len(fault("upstream_error", "x" * 10_000).reason) == 500


@pytest.mark.parametrize(
    ("secret", "text", "kept"),
    [
        ("sk-1", "bad key sk-1", "bad key [key]"),
        ("", "no key", "no key"),
        (
            "",
            "Incorrect API key provided: sk-proj-abcdefgh_1234.",
            "Incorrect API key provided: [key].",
        ),
        ("", "Authorization: Bearer abcdefgh1234", "Authorization: [key]"),
        ("", "a risk-averse task", "a risk-averse task"),
    ],
)
def test_a_secret_is_taken_out_and_what_looks_like_one(secret: str, text: str, kept: str) -> None:
    assert without(secret, text) == kept
