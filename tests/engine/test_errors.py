"""`engine.errors`: every code has its statuses, and says nothing but ours."""

import pytest

from engine.errors import (
    CLOSE_CODE,
    HTTP_STATUS,
    ClawError,
    ProviderError,
    RunTimeout,
    TooManySteps,
    Unavailable,
    invalid,
)

SOCKET_ONLY = {"idle_timeout", "slow_consumer"}


def test_it_works() -> None:
    error = ClawError("rate_limited", "Slow down.", retry_after=1500, details={"limit": 30})
    assert (error.status, error.close_code, str(error)) == (429, None, "Slow down.")
    assert error.body() == {
        "code": "rate_limited",
        "message": "Slow down.",
        "retryAfter": 1500,
        "details": {"limit": 30},
    }


def test_a_body_has_only_what_is_known() -> None:
    assert ClawError("forbidden", "No.").body() == {"code": "forbidden", "message": "No."}
    assert ClawError("rate_limited", "No.", retry_after=0).body()["retryAfter"] == 0


def test_what_closes_a_socket_is_an_http_error_too() -> None:
    assert set(CLOSE_CODE) - SOCKET_ONLY <= set(HTTP_STATUS)
    assert all(4000 <= code <= 4999 for code in CLOSE_CODE.values())
    assert all(400 <= status <= 599 for status in HTTP_STATUS.values())


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (invalid("content", "Empty."), "invalid_message", 400),
        (Unavailable("Full."), "unavailable", 503),
        (ProviderError("upstream_overloaded", "Busy.", retryable=True), "upstream_overloaded", 503),
        (RunTimeout(), "upstream_timeout", 504),
        (TooManySteps(), "too_many_steps", 500),
    ],
)
def test_each_kind_has_its_code(error: ClawError, code: str, status: int) -> None:
    assert (error.code, error.status) == (code, status)


def test_an_invalid_field_is_named() -> None:
    assert invalid("content", "Empty.").body()["details"] == {"field": "content"}


def test_p37_waiting_for_an_unavailable_server_has_a_length() -> None:
    assert Unavailable("Full.").body()["retryAfter"] > 0


def test_p37_the_reason_of_a_provider_s_failure_stays_with_us() -> None:
    error = ProviderError("upstream_error", "It failed.", retryable=False, reason="sk-secret")
    assert "sk-secret" not in f"{error} {error.body()}"
