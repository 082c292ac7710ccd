"""What a model server's failures are called here, alike for every provider.

| what happened | code | retryable |
|---|---|---|
| 429, 503, 529, an overload reported in the stream | upstream_overloaded | yes, `retry_after` |
| 408, 504, no progress for too long | upstream_timeout | yes |
| other 5xx, no connection, nonsense in the stream | upstream_error | yes |
| other 4xx, a redirect, an address that we refuse | upstream_error | no |
| the answer broke off | upstream_truncated | yes |
"""

from engine.errors import ProviderError

MESSAGES = {
    "upstream_error": "The model server could not answer.",
    "upstream_overloaded": "The model server is overloaded. Please try again in a moment.",
    "upstream_timeout": "The model server did not answer in time.",
    "upstream_truncated": "The model server broke off the answer.",
}
OVERLOADED = frozenset({429, 503, 529})
TIMED_OUT = frozenset({408, 504})
STREAM_ERRORS = {
    "api_error": "upstream_error",
    "overloaded": "upstream_overloaded",
    "overloaded_error": "upstream_overloaded",
    "rate_limit_error": "upstream_overloaded",
    "rate_limit_exceeded": "upstream_overloaded",
    "server_error": "upstream_error",
    "timeout": "upstream_timeout",
    "timeout_error": "upstream_timeout",
}
"""What servers call failures in the stream that a new try may not meet; all others stay."""
REASON_CHARS = 500
LONGEST_RETRY_AFTER = 3600  # seconds; servers have been seen to say 4294967


def fault(
    code: str, reason: str, *, retryable: bool = True, retry_after: int | None = None
) -> ProviderError:
    """An error with our words; `reason` is for the log."""
    return ProviderError(
        code,
        MESSAGES[code],
        retryable=retryable,
        reason=reason[:REASON_CHARS],
        retry_after=retry_after,
    )


def status_fault(status: int, reason: str, retry_after: str | None) -> ProviderError:
    """The error for a response that is no answer; `retry_after` is the header's value."""
    code, retryable = "upstream_error", status >= 500
    if status in OVERLOADED:
        code, retryable = "upstream_overloaded", True
    elif status in TIMED_OUT:
        code, retryable = "upstream_timeout", True
    wait = parse_retry_after(retry_after) if retryable else None
    return fault(code, f"HTTP {status}: {reason}", retryable=retryable, retry_after=wait)


def stream_fault(kind: str, reason: str) -> ProviderError:
    """The error for a failure that the server reports in the middle of an answer."""
    code = STREAM_ERRORS.get(kind, "upstream_error")
    return fault(code, reason, retryable=kind in STREAM_ERRORS)


def without(secret: str, text: str) -> str:
    """`text` with the secret taken out: a server may repeat what it was sent."""
    return text.replace(secret, "[key]") if secret else text


def parse_retry_after(value: str | None) -> int | None:
    """Milliseconds; None for no value, a date (RFC 9110 allows one) or nonsense."""
    if value is None or not value.isascii() or not value.isdigit():
        return None
    return min(int(value[:10]), LONGEST_RETRY_AFTER) * 1000
