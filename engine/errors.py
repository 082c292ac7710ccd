"""Every error that can reach a client, with its code, HTTP status and WebSocket close code.

    ClawError                   anything with a code of docs/protocol.md
    |-- ProviderError           a model server failed; says whether a new try may help
    |-- RunTimeout              a run outlived its wall clock
    |-- TooManySteps            a run wanted more model calls than it may make
    `-- Unavailable             full, draining, or without a service we need

Messages are ours: a provider's or a library's text is never echoed (it may hold secrets).
"""

from typing import Any

HTTP_STATUS = {
    "auth_required": 401,
    "invalid_token": 401,
    "token_expired": 401,
    "key_revoked": 401,
    "forbidden": 403,
    "agent_mismatch": 403,
    "agent_not_found": 404,
    "conversation_not_found": 404,
    "run_not_found": 404,
    "message_not_found": 404,
    "not_found": 404,
    "method_not_allowed": 405,
    "history_expired": 410,
    "invalid_message": 400,
    "message_too_large": 413,
    "rate_limited": 429,
    "too_many_connections": 429,
    "conversation_busy": 409,
    "precondition_failed": 412,
    "idempotency_conflict": 422,
    "unavailable": 503,
    "budget_exceeded": 402,
    "upstream_error": 502,
    "upstream_truncated": 502,
    "upstream_overloaded": 503,
    "upstream_timeout": 504,
    "tool_error": 500,
    "too_many_steps": 500,
    "run_interrupted": 500,
    "internal_error": 500,
}

CLOSE_CODE = {
    "auth_required": 4001,
    "invalid_token": 4001,
    "token_expired": 4001,
    "key_revoked": 4001,
    "forbidden": 4003,
    "agent_mismatch": 4003,
    "agent_not_found": 4004,
    "idle_timeout": 4008,
    "slow_consumer": 4010,
    "too_many_connections": 4029,
}


class ClawError(Exception):
    """`code` as in docs/protocol.md, a message for people, `retry_after` in milliseconds."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        retry_after: int | None = None,
        details: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.code, self.message = code, message
        self.retry_after, self.details = retry_after, details

    @property
    def status(self) -> int:
        """The HTTP status of this error."""
        return HTTP_STATUS[self.code]

    @property
    def close_code(self) -> int | None:
        """The WebSocket close code, or None where the socket stays open."""
        return CLOSE_CODE.get(self.code)

    def body(self) -> dict[str, Any]:
        """`{code, message, retryAfter?, details?}`: the same object on every transport."""
        body: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.retry_after is not None:
            body["retryAfter"] = self.retry_after
        if self.details is not None:
            body["details"] = self.details
        return body


def invalid(field: str, problem: str) -> ClawError:
    """What the client sent is wrong; `field` names where."""
    return ClawError("invalid_message", problem, details={"field": field})


class Unavailable(ClawError):
    """Full, draining, or without a service we need; `retry_after` in milliseconds."""

    def __init__(self, message: str, *, retry_after: int = 1000) -> None:
        super().__init__("unavailable", message, retry_after=retry_after)


class ProviderError(ClawError):
    """A model server failed. `code` is one of the `upstream_*` codes.

    `retryable` says whether the same call may succeed later; `reason` is for our log only."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        retryable: bool,
        reason: str = "",
        retry_after: int | None = None,
    ) -> None:
        super().__init__(code, message, retry_after=retry_after)
        self.retryable, self.reason = retryable, reason


class RunTimeout(ClawError):
    """A run outlived its wall clock."""

    def __init__(self) -> None:
        super().__init__("upstream_timeout", "The answer took too long and was ended.")


class TooManySteps(ClawError):
    """A run wanted more model calls than it may make."""

    def __init__(self) -> None:
        super().__init__("too_many_steps", "The agent needed more steps than it is allowed.")
