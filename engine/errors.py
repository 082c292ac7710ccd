"""Every error that can reach a client. `wire.errors` has the statuses of their codes.

    ClawError                   anything with a code of docs/protocol.md
    |-- ProviderError           a model server failed; says whether a new try may help
    |-- RunTimeout              a run outlived its wall clock
    |-- RunFailed               a run ended with this error while a request waited for it
    |-- TooManySteps            a run wanted more model calls than it may make
    `-- Unavailable             full, draining, or without a service we need

The messages are our own. They never repeat what a provider or a library says: it may hold secrets.
"""

from typing import Any


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


def invalid(field: str, problem: str) -> ClawError:
    """The error for a mistake of the client in `field`."""
    return ClawError("invalid_message", problem, details={"field": field})


class Unavailable(ClawError):
    """Full, draining, or without a service we need; `retry_after` in milliseconds."""

    def __init__(self, message: str, *, retry_after: int = 1000) -> None:
        super().__init__("unavailable", message, retry_after=retry_after)


class RunFailed(ClawError):
    """A run ended with this error while a request waited for it. It was counted with the run."""


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
