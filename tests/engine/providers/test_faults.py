import pytest

from engine.errors import HTTP_STATUS
from engine.providers.faults import (
    MESSAGES,
    STREAM_ERRORS,
    fault,
    parse_retry_after,
    status_fault,
    stream_fault,
    without,
)


def test_it_works() -> None:
    error = status_fault(529, "busy", "3")
    assert (error.code, error.retryable, error.retry_after) == ("upstream_overloaded", True, 3000)
    assert error.body()["retryAfter"] == 3000
    assert "busy" in error.reason and "busy" not in error.message


def test_every_code_of_a_model_server_has_words() -> None:
    assert set(MESSAGES) == {code for code in HTTP_STATUS if code.startswith("upstream_")}


def test_waiting_is_not_advised_where_it_does_not_help() -> None:
    assert status_fault(400, "", "3").retry_after is None


def test_a_reason_is_short() -> None:
    assert len(fault("upstream_error", "x" * 10_000).reason) == 500


@pytest.mark.parametrize(
    ("value", "milliseconds"),
    [
        (None, None),
        ("", None),
        ("0", 0),
        ("2", 2000),
        ("99999999999999999999", 3_600_000),
        ("1.5", None),
        ("-1", None),
        ("²", None),
        ("Fri, 20 Nov 2026 10:00:00 GMT", None),
    ],
)
def test_retry_after_is_whole_seconds(value: str | None, milliseconds: int | None) -> None:
    assert parse_retry_after(value) == milliseconds


def test_what_the_stream_reports_may_pass_or_not() -> None:
    assert set(STREAM_ERRORS.values()) <= set(MESSAGES)
    assert stream_fault("overloaded_error", "").retryable
    assert not stream_fault("invalid_request_error", "").retryable


def test_a_secret_is_taken_out() -> None:
    assert without("sk-1", "bad key sk-1") == "bad key [key]"
    assert without("", "no key") == "no key"
