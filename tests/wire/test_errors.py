"""`wire.errors`: what a client gets of an error."""

import pytest

from engine.errors import ClawError, ProviderError, RunTimeout, TooManySteps, Unavailable, invalid
from wire.errors import CLOSE_CODE, HTTP_STATUS, close_code_of, envelope_of, status_of
from wire.parse import dumps

SOCKET_ONLY = {"idle_timeout", "slow_consumer"}


def test_it_works() -> None:
    error = ClawError("rate_limited", "Slow down.", retry_after=1500, details={"limit": 30})
    assert (status_of(error), close_code_of(error)) == (429, None)
    assert dumps(envelope_of(error, "req_1")) == (
        b'{"error":{"code":"rate_limited","message":"Slow down.","retryAfter":1500,'
        b'"details":{"limit":30},"requestId":"req_1"}}'
    )


def test_an_envelope_has_only_what_is_known() -> None:
    assert dumps(envelope_of(ClawError("forbidden", "No."), "req_1")) == (
        b'{"error":{"code":"forbidden","message":"No.","requestId":"req_1"}}'
    )
    at_once = envelope_of(ClawError("rate_limited", "No.", retry_after=0), "req_1")
    assert at_once.error.retry_after == 0


def test_what_closes_a_socket_is_an_http_error_too() -> None:
    assert set(CLOSE_CODE) - SOCKET_ONLY <= set(HTTP_STATUS)
    assert all(4000 <= code <= 4999 for code in CLOSE_CODE.values())
    assert all(400 <= status <= 599 for status in HTTP_STATUS.values())


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (invalid("content", "Empty."), 400),
        (Unavailable("Full."), 503),
        (ProviderError("upstream_overloaded", "Busy.", retryable=True), 503),
        (RunTimeout(), 504),
        (TooManySteps(), 500),
    ],
)
def test_each_kind_of_error_has_a_status(error: ClawError, status: int) -> None:
    assert status_of(error) == status


def test_p37_the_reason_of_a_provider_s_failure_stays_with_us() -> None:
    error = ProviderError("upstream_error", "It failed.", retryable=False, reason="sk-secret")
    assert b"sk-secret" not in dumps(envelope_of(error, "req_1"))
    assert "sk-secret" not in str(error)
