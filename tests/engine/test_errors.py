"""`engine.errors`: every kind of error has its code, and says nothing but ours."""

import pytest

from engine.errors import ClawError, ProviderError, RunTimeout, TooManySteps, Unavailable, invalid


def test_it_works() -> None:
    error = ClawError("rate_limited", "Slow down.", retry_after=1500, details={"limit": 30})
    assert (error.code, str(error), error.retry_after) == ("rate_limited", "Slow down.", 1500)
    assert error.details == {"limit": 30}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (invalid("content", "Empty."), "invalid_message"),
        (Unavailable("Full."), "unavailable"),
        (ProviderError("upstream_overloaded", "Busy.", retryable=True), "upstream_overloaded"),
        (RunTimeout(), "upstream_timeout"),
        (TooManySteps(), "too_many_steps"),
    ],
)
def test_each_kind_has_its_code(error: ClawError, code: str) -> None:
    assert error.code == code


def test_an_invalid_field_is_named() -> None:
    assert invalid("content", "Empty.").details == {"field": "content"}


def test_p37_waiting_for_an_unavailable_server_has_a_length() -> None:
    error = Unavailable("Full.")
    assert error.retry_after is not None and error.retry_after > 0
