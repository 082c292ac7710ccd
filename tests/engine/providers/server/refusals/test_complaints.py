import json
from typing import Any

import pytest

from engine.providers.server.refusals.complaints import (
    MAX_VALUES,
    is_complaint,
    read_body,
    read_complaint,
)

EXTRA = {"type": "extra_forbidden", "loc": ["body", "stream_options", "include_usage"], "msg": "No"}


def test_it_works() -> None:
    complaint = read_complaint({"error": {"message": "Too fast", "code": "429", "param": "n"}})
    assert (complaint.texts, complaint.statuses, complaint.fields) == (["Too fast"], [429], ["n"])


@pytest.mark.parametrize(
    "said",
    [
        {"error": {"type": "rate_limit_error"}},
        {"type": "error", "error": {"type": "rate_limit_error", "message": None}},
        [{"error": {"status": "rate_limit_error", "details": [{"@type": "any"}]}}],
        {"error": "rate_limit_error"},
        {"errors": [{"code": "rate_limit_error"}]},
        {"detail": {"error_code": "rate_limit_error"}},
        {"__type": "rate_limit_error"},
        {"error": {"message": json.dumps({"error": {"code": "rate_limit_error"}})}},
        {"error": {"metadata": {"raw": json.dumps([{"type": "rate_limit_error"}])}}},
    ],
)
def test_a_name_is_found_in_every_form(said: Any) -> None:
    assert "rate_limit_error" in read_body(json.dumps(said).encode()).names


def test_the_fields_that_pydantic_names() -> None:
    assert read_complaint({"detail": [EXTRA]}).fields == ["body.stream_options.include_usage"]


@pytest.mark.parametrize("delay", ["13s", {"seconds": 13, "nanos": 1}, {"seconds": "13"}])
def test_the_delay_that_google_names(delay: Any) -> None:
    detail = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}
    assert read_complaint({"error": {"details": [detail]}}).wait == 13_000


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"{", b"<html>", b"null", b"[" * 5000, b'"x"'])
def test_anything_can_be_read(body: bytes) -> None:
    read_body(body)


def test_what_is_read_is_bounded() -> None:
    assert len(read_complaint({"errors": ["many words"] * 10_000}).texts) <= MAX_VALUES
    assert len(read_complaint({"message": "x y" * 10_000}).texts[0]) <= 2000


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"error": {"message": "no"}}, True),
        ({"error": "no"}, True),
        ([{"error": {"message": "no"}}], True),
        ({"object": "error", "message": "no"}, True),
        ({"type": "error", "error": {}}, True),
        ({"detail": "Not Found"}, True),
        ({"message": "Forbidden"}, True),
        ({"error": None, "choices": []}, False),
        ({"choices": [{"message": {"content": "error"}}], "error": None}, False),
        ({"type": "message", "content": []}, False),
        ({"type": "ping"}, False),
        ({"error": {"code": None, "message": ""}}, False),
        ({"error": {"code": 500, "message": ""}}, True),
        ({"base_resp": {"status_code": 1002, "status_msg": "rate limit"}}, True),
        ({"base_resp": {"status_code": 0, "status_msg": "success"}}, False),
        ({"errorCode": "Throttled"}, True),
        ({"error_code": 0}, False),
        ({"code": 500, "choices": []}, True),
        ({"status": "error"}, True),
        ({"choices": [], "detail": "meta"}, False),
        ({"message": {"content": "Hello"}}, False),
        ({}, False),
        ([], False),
        ("error", False),
    ],
)
def test_an_error_is_told_from_an_answer(said: Any, error: bool) -> None:
    assert is_complaint(said) is error


@pytest.mark.parametrize("field", ["detail", "msg", "message"])
def test_a_remark_within_an_answer_is_no_error(field: str) -> None:
    said = {field: "meta"}
    assert is_complaint(said) and is_complaint([said])
    assert not is_complaint(said, answering=True) and not is_complaint([said], answering=True)
    assert is_complaint({**said, "error": "no"}, answering=True)
    assert is_complaint({**said, "code": 503}, answering=True)
