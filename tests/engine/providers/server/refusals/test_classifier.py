"""The classifier: the same words mean the same, whichever of the three ways they come."""

import json
from typing import Any

import pytest

from engine.errors import ProviderError
from engine.providers.server.refusals.classifier import REFUSAL_BYTES, Refusal

LOAD, TIMEOUT = ("upstream_overloaded", True), ("upstream_timeout", True)
SERVER, NEVER = ("upstream_error", True), ("upstream_error", False)


def refuse(status: int | None, said: Any, **headers: str) -> ProviderError:
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Refusal(status, names, body).error("sk-SECRET")


def coded(code: object) -> dict[str, Any]:
    return {"error": {"message": "Something is wrong.", "code": code}}


def test_it_works() -> None:
    error = refuse(529, {"error": {"message": "busy, sk-SECRET"}}, retry_after="3")
    assert (error.code, error.retryable, error.retry_after) == (*LOAD, 3000)
    assert "busy, [key]" in error.reason and "busy" not in error.message


@pytest.mark.parametrize(
    ("status", "what"),
    [
        *((429, LOAD), (503, LOAD), (529, LOAD), (408, TIMEOUT), (504, TIMEOUT)),
        *((500, SERVER), (502, SERVER), (520, SERVER)),
        *((400, NEVER), (401, NEVER), (402, NEVER), (403, NEVER), (404, NEVER), (302, NEVER)),
    ],
)
def test_a_status_without_words(status: int, what: tuple[str, bool]) -> None:
    error = refuse(status, b"")
    assert (error.code, error.retryable) == what


NAMES = {
    LOAD: [
        *("rate_limit_error", "RateLimitError", "rate_limit_exceeded", "rateLimitExceeded"),
        *("RESOURCE_EXHAUSTED", "TooManyRequests", "too_many_requests", "overloaded_error"),
        *("engine_overloaded", "ThrottlingException", "SlowDown", "UNAVAILABLE", 429, "429", 529),
        *(
            "service_unavailable",
            "ServiceUnavailableException",
            "no_capacity",
            "server_busy",
            "503",
        ),
    ],
    TIMEOUT: ["timeout_error", "Timeout", "DEADLINE_EXCEEDED", "gateway_timeout", 504, "408"],
    SERVER: ["api_error", "server_error", "InternalServerError", "INTERNAL", 500, "502"],
    NEVER: [
        *("insufficient_quota", "InsufficientQuota", "insufficient_credits", "billing_not_active"),
        *("billing_hard_limit_reached", "insufficient_balance", "payment_required", 402, "402"),
        *("credits_exhausted", "budget_exceeded", "quota_exceeded", "invalid_request_error"),
        *("invalid_api_key", "PERMISSION_DENIED", "model_not_found", "future_error", 404, "401"),
    ],
}


@pytest.mark.parametrize(
    ("code", "what"), [(code, what) for what, codes in NAMES.items() for code in codes]
)
def test_a_code_in_any_spelling_without_a_status(code: object, what: tuple[str, bool]) -> None:
    for said in (coded(code), {"error": {"type": code, "message": "No."}}, {"error": code}):
        error = refuse(None, said)
        assert (error.code, error.retryable) == what


@pytest.mark.parametrize(
    "said",
    [
        coded("insufficient_quota"),
        coded(402),
        {"error": {"type": "insufficient_quota", "code": "rate_limit_exceeded", "message": ""}},
        {"type": "error", "error": {"type": "api_error", "message": "credit balance too low"}},
        {"error": {"message": "This request requires more credits, or fewer max_tokens."}},
        {"error": {"message": "Insufficient Balance", "type": "unknown_error"}},
        {"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}},
        {"error": {"message": "Budget has been exceeded", "type": "budget_exceeded"}},
        {"error": {"code": "1113", "message": "Your account is in arrears, please recharge."}},
        {"error": {"type": "not_enough_credits", "message": "No."}},
        {"error": {"message": "Your balance is insufficient to make this request"}},
        {"error": "You have exceeded your monthly included credits for Inference Providers."},
        {"code": "x", "error": "Your team has used all available credits for this month."},
        {"error": {"message": "Your prepayment credits are depleted."}},
    ],
)
def test_money_is_not_load_whatever_the_status(said: Any) -> None:
    for status in (None, 200, 400, 403, 429, 500, 503):
        error = refuse(status, said, retry_after="3")
        assert (error.code, error.retryable, error.retry_after) == (*NEVER, None), status


GEMINI = [
    {
        "error": {
            "code": 429,
            "message": "You exceeded your current quota, please check your billing details.",
            "status": "RESOURCE_EXHAUSTED",
            "details": [{"@type": "google.rpc.RetryInfo", "retryDelay": "13s"}],
        }
    }
]
AZURE = {
    "error": {
        "code": "429",
        "message": "Requests have exceeded token rate limit of your current OpenAI S0 pricing tier."
        " Please retry after 26 seconds. Please go here: https://aka.ms/oai/quotaincrease",
    }
}
GROQ = {"error": {"message": "Rate limit reached. Please try again in 7.66s.", "type": "tokens"}}
OPENROUTER = {
    "error": {
        "message": "Rate limit exceeded: free-models-per-min.",
        "code": 429,
        "metadata": {"headers": {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "4"}},
    }
}
BEHIND = {"error": {"message": "Provider returned error", "metadata": {"raw": json.dumps(GEMINI)}}}
LITELLM = {"error": {"message": "litellm.RateLimitError: no deployments", "code": "500"}}
BEDROCK = {"__type": "com.amazon.coral.service#ThrottlingException", "message": "Wait 5 seconds."}


@pytest.mark.parametrize(
    ("status", "said", "wait"),
    [
        (429, GEMINI, 13_000),
        (None, GEMINI, 13_000),
        (429, AZURE, 26_000),
        (429, GROQ, 7660),
        (200, OPENROUTER, 4000),
        (502, BEHIND, 13_000),
        (500, LITELLM, None),
        (400, BEDROCK, 5000),
        (403, {"error": {"errors": [{"reason": "rateLimitExceeded"}], "code": 403}}, None),
        (None, {"error": "overloaded"}, None),
        (None, {"error": "The server is busy, too many requests"}, None),
    ],
)
def test_load_as_servers_say_it(status: int | None, said: Any, wait: int | None) -> None:
    error = refuse(status, said)
    assert (error.code, error.retryable, error.retry_after) == (*LOAD, wait)


def test_a_quota_that_comes_back_is_load() -> None:
    assert refuse(429, coded("quota_exceeded"), retry_after="4").retry_after == 4000
    assert refuse(429, coded("quota_exceeded")).retryable is False


def test_waiting_is_not_advised_where_it_does_not_help() -> None:
    assert refuse(400, b"", retry_after="3").retry_after is None


def test_the_words_are_for_the_log_without_secrets() -> None:
    refusal = Refusal(401, {})
    refusal.add(b"wrong key: sk-SECRET \xff\r\n\r\n and more")
    error = refusal.error("sk-SECRET")
    assert error.reason == "HTTP 401 (request): wrong key: [key] \ufffd and more"
    assert "wrong" not in error.message


def test_what_is_kept_is_bounded() -> None:
    refusal = Refusal(500, {})
    for _ in range(3):
        refusal.add(b"x" * REFUSAL_BYTES)
    assert len(refusal.body) == REFUSAL_BYTES
