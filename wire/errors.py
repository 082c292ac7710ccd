"""Errors as clients get them: the HTTP status and the WebSocket close code of each error code."""

from msgspec import UNSET

from engine.errors import ClawError
from wire.objects.conversations import ErrorBody, ErrorEnvelope

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
    "file_not_found": 404,
    "approval_not_found": 404,
    "question_not_found": 404,
    "tool_call_not_found": 404,
    "not_found": 404,
    "method_not_allowed": 405,
    "history_expired": 410,
    "invalid_message": 400,
    "message_too_large": 413,
    "unsupported_encoding": 415,
    "rate_limited": 429,
    "too_many_connections": 429,
    "cancelled": 409,
    "decision_required": 409,
    "already_decided": 409,
    "digest_mismatch": 409,
    "conversation_busy": 409,
    "conversation_exists": 409,
    "in_use": 409,
    "agent_archived": 409,
    "pipeline_status": 409,
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


def status_of(error: ClawError) -> int:
    """The HTTP status."""
    return HTTP_STATUS[error.code]


def close_code_of(error: ClawError) -> int | None:
    """The WebSocket close code; None where the socket stays open."""
    return CLOSE_CODE.get(error.code)


def envelope_of(error: ClawError, request_id: str) -> ErrorEnvelope:
    """The body of an HTTP answer; `request_id` leads to its line in the log."""
    body = ErrorBody(
        code=error.code,
        message=error.message,
        retry_after=UNSET if error.retry_after is None else error.retry_after,
        details=UNSET if error.details is None else error.details,
        request_id=request_id,
    )
    return ErrorEnvelope(error=body)
