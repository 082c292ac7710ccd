"""The fold: the sum of a run's events.

The recorder, the REST answer and the snapshot all use this function; `transcript.js` is the same
fold in the browser. `fold` has no clock and does no I/O: the same events always give the same
transcript. It updates the transcript it is given: a copy for every token would cost O(n^2).
"""

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from engine import events as ev
from engine.text import Text

MessageStatus: TypeAlias = Literal[
    "queued", "streaming", "waiting", "completed", "cancelled", "failed", "interrupted"
]


class Approval(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The decision about a tool call, who made it, and the reason if they gave one."""

    approved: bool
    by: ev.DecidedBy
    reason: str | None = None


class ToolUse(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A tool call and, once it has come, its result. `args` are those that were approved, if
    somebody has changed them. `client`: the client carries it out; `child_run_id` is the run of the
    agent that does."""

    id: str
    tool: str
    args: dict[str, Any]
    client: Literal[True] | UnsetType = UNSET
    child_run_id: str | UnsetType = UNSET
    approval: Approval | UnsetType = UNSET
    result: Any | UnsetType = UNSET
    is_error: bool | UnsetType = UNSET
    duration_ms: int | UnsetType = UNSET

    @property
    def ended(self) -> bool:
        """Whether the result has come."""
        return self.result is not UNSET


class Problem(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The error of a failed run. `retry_after` in milliseconds."""

    code: str
    message: str
    retryable: bool
    retry_after: int | None = None


class Transcript:
    """One run so far."""

    __slots__ = (
        "done",
        "last_seq",
        "outcome",
        "pending",
        "progress",
        "reports",
        "retrieved",
        "sources",
        "started",
        "steered",
        "step_ends",
        "steps",
        "suspended",
        "text",
        "thinking",
        "thinking_count",
        "token_count",
        "tools",
        "ttft_ms",
        "typing",
        "waits",
        "worked_ms",
    )

    def __init__(self) -> None:
        self.started: ev.RunStarted | None = None
        self.text = Text()
        self.thinking = Text()
        self.token_count = 0
        self.ttft_ms: int | None = None
        self.thinking_count = 0
        self.tools: list[ToolUse] = []
        self.progress: ev.Status | None = None
        self.sources: list[ev.Source] = []
        """The passages of all searches, each once."""
        self.retrieved: list[ev.Source] | None = None
        """Those of the search before the first model call; None if there was none."""
        self.steps: list[ev.Step] = []
        self.step_ends: list[tuple[int, int]] = []
        """Bytes of text and of thinking when each step ended."""
        self.steered: list[tuple[int, ev.Steered]] = []
        """The user's messages that have joined the run, each with the number of steps before it."""
        self.reports: list[ev.UsageReported] = []
        self.typing = False
        self.pending: list[ev.Pending] = []
        """The tool calls that wait for somebody, as clients see them."""
        self.suspended = False
        """Whether the last attempt has ended because the run waits, and no other has done anything.
        Until then none of the calls that wait has been carried out."""
        self.waits = 0
        """The number of times that the run has begun to wait."""
        self.worked_ms = 0
        """The milliseconds that the run had worked when its last wait began, without its waits."""
        self.outcome: ev.Outcome | None = None
        self.done: ev.Done | None = None
        self.last_seq = 0

    @property
    def status(self) -> MessageStatus:
        """The status of the assistant's message."""
        match self.outcome:
            case ev.MessageComplete():
                return "completed"
            case ev.Cancelled():
                return "cancelled"
            case ev.Failed(code="run_interrupted"):
                return "interrupted"
            case ev.Failed():
                return "failed"
        if self.waiting:
            return "waiting"
        return "streaming" if self.typing or self.reports or self.token_count else "queued"

    @property
    def waiting(self) -> bool:
        """Whether the run waits for somebody, and not just for the runs of other agents."""
        return bool(self.pending) and not self.typing

    @property
    def stop_reason(self) -> str | None:
        """The provider's reason for the end of the answer, or `cancelled`. None while the run goes
        on and after an error."""
        if isinstance(self.outcome, (ev.MessageComplete, ev.Cancelled)):
            return self.outcome.stop_reason
        return None

    @property
    def size(self) -> int:
        """Bytes of text and thinking."""
        return self.text.size + self.thinking.size

    @property
    def produced(self) -> bool:
        """Whether the model has produced anything that a watcher may have seen."""
        return bool(self.token_count or self.thinking_count or self.tools or self.reports)

    @property
    def answered(self) -> bool:
        """Whether the model has said all it had to say."""
        if not self.steps or self.steps[-1].stop_reason == "pause_turn":
            return False
        return not self.steps[-1].tool_calls

    @property
    def error(self) -> Problem | None:
        """The error of the run, if it failed."""
        if not isinstance(self.outcome, ev.Failed):
            return None
        return Problem(
            code=self.outcome.code,
            message=self.outcome.message,
            retryable=self.outcome.retryable,
            retry_after=self.outcome.retry_after,
        )


def fold(transcript: Transcript, event: ev.NewEvent) -> Transcript:
    """Add one event. Events must come in order, each once. An event that is not in the log yet
    (`seq` 0) leaves `last_seq` as it is: its writer sets that."""
    if event.seq:
        transcript.last_seq = event.seq
    apply = _APPLY.get(type(event))
    if apply is not None:
        apply(transcript, event)
    return transcript


def fold_all(lines: list[bytes], transcript: Transcript | None = None) -> Transcript:
    """Fold sealed events as the log holds them. Events that only a newer version knows add
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
    t.suspended = t.suspended and not t.typing


def _status(t: Transcript, event: ev.Status) -> None:
    t.progress = event


def _sources(t: Transcript, event: ev.Sources) -> None:
    if not (t.steps or t.tools):
        t.retrieved = event.sources
    known = {source.chunk_id for source in t.sources}
    t.sources += [source for source in event.sources if source.chunk_id not in known]


def _token(t: Transcript, event: ev.Token) -> None:
    t.text.add(event.content)
    t.token_count = event.index + (event.count or 1)
    if event.ttft_ms is not None:
        t.ttft_ms = event.ttft_ms


def _tokens(t: Transcript, event: ev.Tokens) -> None:
    t.text.add("".join(event.contents))
    t.token_count = event.index + len(event.contents)


def _thinking(t: Transcript, event: ev.Thinking) -> None:
    t.thinking.add(event.content)
    t.thinking_count = event.index + 1


def _tool_call(t: Transcript, event: ev.ToolCall) -> None:
    t.tools.append(
        ToolUse(
            id=event.id,
            tool=event.tool,
            args=event.args,
            client=True if event.client else UNSET,
            child_run_id=event.child_run_id or UNSET,
        )
    )
    if event.client:
        call = ev.Pending(kind="client_tool", id=event.id, tool=event.tool, args=event.args)
        t.pending.append(call)


def _tool_result(t: Transcript, event: ev.ToolResult) -> None:
    t.suspended = False
    for place, tool in enumerate(t.tools):
        if tool.id == event.id:
            t.tools[place] = replace(
                tool,
                result=event.result,
                is_error=event.is_error,
                duration_ms=event.duration_ms,
            )
    _no_longer_pending(t, event.id)


def _approval_required(t: Transcript, event: ev.ApprovalRequired) -> None:
    call = ev.Pending(
        kind="approval",
        id=event.id,
        tool=event.tool,
        args=event.args,
        args_digest=event.args_digest,
        expires_at=event.expires_at,
        approvers=event.approvers,
        editable=event.editable,
        child_run_id=event.child_run_id,
    )
    t.pending.append(call)


def _approval_decided(t: Transcript, event: ev.ApprovalDecided) -> None:
    approval = Approval(approved=event.approved, by=event.by, reason=event.reason)
    for place, tool in enumerate(t.tools):
        if tool.id == event.id:
            args = tool.args if event.args is None else event.args
            t.tools[place] = replace(tool, args=args, approval=approval)
    _no_longer_pending(t, event.id)


def _question(t: Transcript, event: ev.Question) -> None:
    call = ev.Pending(
        kind="question",
        id=event.id,
        text=event.text,
        choices=event.choices,
        schema=event.schema,
        expires_at=event.expires_at,
        child_run_id=event.child_run_id,
    )
    t.pending.append(call)


def _no_longer_pending(t: Transcript, id: str) -> None:
    t.pending = [call for call in t.pending if call.id != id]


def _waiting(t: Transcript, event: ev.RunWaiting) -> None:
    t.pending, t.worked_ms = list(event.pending), event.worked_ms
    t.suspended, t.waits = True, t.waits + 1


def _steered(t: Transcript, event: ev.Steered) -> None:
    t.steered.append((len(t.steps), event))


def _step(t: Transcript, event: ev.Step) -> None:
    t.steps.append(event)
    t.step_ends.append((t.text.size, t.thinking.size))


def _usage(t: Transcript, event: ev.UsageReported) -> None:
    t.reports.append(event)


def _outcome(t: Transcript, event: ev.Outcome) -> None:
    t.outcome, t.pending = event, []


def _done(t: Transcript, event: ev.Done) -> None:
    t.done = event


_APPLY: dict[type[Any], Callable[[Transcript, Any], None]] = {
    ev.RunStarted: _started,
    ev.Typing: _typing,
    ev.Status: _status,
    ev.Sources: _sources,
    ev.Token: _token,
    ev.Tokens: _tokens,
    ev.Thinking: _thinking,
    ev.ToolCall: _tool_call,
    ev.ToolResult: _tool_result,
    ev.ApprovalRequired: _approval_required,
    ev.ApprovalDecided: _approval_decided,
    ev.Question: _question,
    ev.Steered: _steered,
    ev.Step: _step,
    ev.RunWaiting: _waiting,
    ev.UsageReported: _usage,
    ev.MessageComplete: _outcome,
    ev.Cancelled: _outcome,
    ev.Failed: _outcome,
    ev.Done: _done,
}
