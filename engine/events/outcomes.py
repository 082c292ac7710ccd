"""The events with which a run ends."""

from typing import Literal, TypeAlias

import msgspec

from engine.events.base import Event
from engine.events.parts import Metrics, Usage


class MessageComplete(Event, tag="message_complete", kw_only=True, frozen=True):
    """Outcome: the answer is complete."""

    content: str
    usage: Usage
    stop_reason: str


class Cancelled(Event, tag="cancelled", kw_only=True, frozen=True):
    """Outcome: somebody stopped the run. The partial text is kept, and is context for later
    runs. `joined_run_id`: nobody did, but its message has joined that run, which answers it."""

    content: str
    usage: Usage
    joined_run_id: str | None = None
    stop_reason: Literal["cancelled"] = msgspec.field(default_factory=lambda: "cancelled")


class Failed(Event, tag="error", kw_only=True, frozen=True):
    """Outcome: the run failed or was interrupted. The partial text is kept. `retry_after` in
    milliseconds."""

    code: str
    message: str
    retryable: bool
    content: str
    usage: Usage
    retry_after: int | None = None


class Done(Event, tag="done", kw_only=True, frozen=True):
    """The last event of every run. `digest` is `sha256:` and the hex digest of the UTF-8 content,
    `length` its bytes."""

    reason: Literal["complete", "cancelled", "error", "interrupted", "budget_exceeded"]
    usage: Usage
    cost: float | None
    metrics: Metrics
    digest: str
    length: int


Outcome: TypeAlias = MessageComplete | Cancelled | Failed
