"""Ids that every log line of a request or run carries."""

import contextvars

_ids: contextvars.ContextVar[dict[str, str]] = contextvars.ContextVar("trace_ids", default={})  # noqa: B039 - never changed in place


def trace(**ids: str) -> None:
    """Add ids (`request`, `organization`, `run`) to all log lines of this task from now on."""
    _ids.set({**_ids.get(), **ids})


def traced() -> dict[str, str]:
    """The ids of the present task."""
    return _ids.get()
