"""Errors of the server and of the way to it."""

from typing import Any

RETRYABLE = (429, 502, 503, 504)
"""Statuses of an answer that may be another one soon."""


class ClawError(Exception):
    """An error of the server, or of the way to it. `code` is for programs (the server's
    docs/errors.md lists them), and `connection_lost` where no answer came. `retry_after` is in
    seconds. `details` says more."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int | None = None,
        retry_after: float | None = None,
        details: dict[str, Any] | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status
        self.retry_after, self.details, self.request_id = retry_after, details or {}, request_id

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed soon."""
        told = self.status is None and self.retry_after is not None
        return told or self.code == "connection_lost" or self.status in RETRYABLE


def error_of(status: int, body: Any, retry_after: str | None) -> ClawError:
    """The error of an answer with this status; `retry_after` is its header."""
    found = body.get("error") if isinstance(body, dict) else None
    said = found if isinstance(found, dict) else {}
    seconds = float(retry_after) if retry_after and retry_after.isdigit() else None
    if "retryAfter" in said:
        seconds = said["retryAfter"] / 1000
    return ClawError(
        said.get("code", "unknown"),
        said.get("message", f"The server answered with status {status}."),
        status=status,
        retry_after=seconds,
        details=said.get("details"),
        request_id=said.get("requestId"),
    )


def connection_lost(*, retry_after: float | None = None) -> ClawError:
    """The error for a connection that broke, or never came about."""
    message = "The connection to the server was lost."
    return ClawError("connection_lost", message, retry_after=retry_after)
