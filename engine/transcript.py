"""The fold: what a run's events add up to.

The recorder, the REST answer, the snapshot on attach and the browser are all this one function.
`fold` has no clock and does no I/O: the same events always give the same transcript. It updates the
transcript it is given (copying a growing text for every token would cost O(n^2)).
"""

from collections.abc import Callable
from typing import Any

import msgspec

from engine import events as ev
from engine.text import Text

FINAL = frozenset({"completed", "cancelled", "failed", "interrupted"})


class Transcript:
    """One run so far."""

    __slots__ = (
        "done",
        "last_seq",
        "outcome",
        "progress",
        "reports",
        "started",
        "steps",
        "text",
        "thinking",
        "thinking_count",
        "token_count",
        "tools",
        "typing",
    )

    def __init__(self) -> None:
        self.started: ev.RunStarted | None = None
        self.text = Text()
        self.thinking = Text()
        self.token_count = 0
        self.thinking_count = 0
        self.tools: list[dict[str, Any]] = []
        self.progress: ev.Status | None = None
        self.steps: list[ev.Step] = []
        self.reports: list[ev.UsageReported] = []
        self.typing = False
        self.outcome: ev.Outcome | None = None
        self.done: ev.Done | None = None
        self.last_seq = 0

    @property
    def status(self) -> str:
        """As in history: queued, streaming, completed, cancelled, failed or interrupted."""
        match self.outcome:
            case ev.MessageComplete():
                return "completed"
            case ev.Cancelled():
                return "cancelled"
            case ev.Failed(code="run_interrupted"):
                return "interrupted"
            case ev.Failed():
                return "failed"
        return "streaming" if self.typing or self.reports or self.token_count else "queued"

    @property
    def stop_reason(self) -> str | None:
        """Why the answer ended, as the provider said it, or `cancelled`; None while it runs and
        after an error."""
        if isinstance(self.outcome, (ev.MessageComplete, ev.Cancelled)):
            return self.outcome.stop_reason
        return None

    @property
    def produced(self) -> bool:
        """Whether a model has given anything that a watcher may have seen."""
        return bool(self.token_count or self.thinking_count or self.tools or self.reports)

    @property
    def answered(self) -> bool:
        """Whether the model has said all it had to say."""
        return bool(self.steps) and self.steps[-1].stop_reason not in ("tool_use", "pause_turn")

    def error(self) -> dict[str, Any] | None:
        """`{code, message, retryable, retryAfter?}` of a run that failed."""
        if not isinstance(self.outcome, ev.Failed):
            return None
        failed = self.outcome
        error = {"code": failed.code, "message": failed.message, "retryable": failed.retryable}
        if failed.retry_after is not None:
            error["retryAfter"] = failed.retry_after
        return error

    def message(self) -> dict[str, Any]:
        """The assistant's message as in REST history, but for `createdAt`."""
        started = self.started
        message: dict[str, Any] = {
            "id": started.message_id if started else "",
            "role": "assistant",
            "content": str(self.text),
            "status": self.status,
            "runId": started.run_id if started else "",
            "usage": msgspec.to_builtins(self.outcome.usage) if self.outcome else None,
            "stopReason": self.stop_reason,
            "error": self.error(),
            "tools": self.tools,
            "sources": [],
        }
        if self.thinking.size:
            message["thinking"] = str(self.thinking)
        return message

    def snapshot(self) -> dict[str, Any]:
        """The `snapshot` frame: the fold so far, and where to go on from."""
        snapshot: dict[str, Any] = {
            "type": "snapshot",
            "runId": self.started.run_id if self.started else "",
            "conversationId": self.started.conversation_id if self.started else "",
            "messageId": self.started.message_id if self.started else "",
            "lastSeq": self.last_seq,
            "status": self.status,
            "nextIndex": self.token_count,
            "pending": [],
            "message": self.message(),
        }
        if self.progress and not self.outcome:
            snapshot["progress"] = {
                "message": self.progress.message,
                "stage": self.progress.stage,
            }
        return snapshot


def fold(transcript: Transcript, event: ev.NewEvent) -> Transcript:
    """Add one event. Events must come in order; each counts once. One that has no place in the log
    yet (`seq` 0) leaves `last_seq` to whoever writes it there."""
    if event.seq:
        transcript.last_seq = event.seq
    apply = _APPLY.get(type(event))
    if apply is not None:
        apply(transcript, event)
    return transcript


def fold_all(lines: list[bytes], transcript: Transcript | None = None) -> Transcript:
    """Fold sealed events as the log holds them; those that only a newer version knows add
    nothing."""
    transcript = transcript or Transcript()
    for line in lines:
        if ev.type_of(line) in ev.TYPES:
            fold(transcript, ev.decode(line))
        else:
            transcript.last_seq = ev.seq_of(line)
    return transcript


def _started(t: Transcript, event: ev.RunStarted) -> None:
    t.started = event


def _typing(t: Transcript, event: ev.Typing) -> None:
    t.typing = event.status == "start"


def _status(t: Transcript, event: ev.Status) -> None:
    t.progress = event


def _token(t: Transcript, event: ev.Token) -> None:
    t.text.add(event.content)
    t.token_count = event.index + (event.count or 1)


def _tokens(t: Transcript, event: ev.Tokens) -> None:
    t.text.add("".join(event.contents))
    t.token_count = event.index + len(event.contents)


def _thinking(t: Transcript, event: ev.Thinking) -> None:
    t.thinking.add(event.content)
    t.thinking_count = event.index + 1


def _tool_call(t: Transcript, event: ev.ToolCall) -> None:
    t.tools.append({"id": event.id, "tool": event.tool, "args": event.args})


def _tool_result(t: Transcript, event: ev.ToolResult) -> None:
    for tool in t.tools:
        if tool["id"] == event.id:
            tool["result"], tool["isError"] = event.result, event.is_error
            tool["durationMs"] = event.duration_ms


def _step(t: Transcript, event: ev.Step) -> None:
    t.steps.append(event)


def _usage(t: Transcript, event: ev.UsageReported) -> None:
    t.reports.append(event)


def _outcome(t: Transcript, event: ev.Outcome) -> None:
    t.outcome = event


def _done(t: Transcript, event: ev.Done) -> None:
    t.done = event


_APPLY: dict[type[Any], Callable[[Transcript, Any], None]] = {
    ev.RunStarted: _started,
    ev.Typing: _typing,
    ev.Status: _status,
    ev.Token: _token,
    ev.Tokens: _tokens,
    ev.Thinking: _thinking,
    ev.ToolCall: _tool_call,
    ev.ToolResult: _tool_result,
    ev.Step: _step,
    ev.UsageReported: _usage,
    ev.MessageComplete: _outcome,
    ev.Cancelled: _outcome,
    ev.Failed: _outcome,
    ev.Done: _done,
}
