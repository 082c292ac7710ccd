"""The messages of the command center: the state, then everything that happens
(docs/command-center.md)."""

from typing import Literal, TypeAlias, get_args

import msgspec
from msgspec import UNSET, UnsetType

from engine.events import Usage
from wire.parse import Moment


class TokenUsage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of one run. While it is under way, `input` counts finished model calls only."""

    input: int
    output: int
    total: int


class RunProblem(msgspec.Struct, frozen=True, kw_only=True):
    """The error of a failed run."""

    code: str
    message: str
    retryable: bool


class FeedRun(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A run as the command center shows it. `tokens` is the total of `token_usage`."""

    id: str
    status: str
    agent_id: str
    agent_name: str
    conversation_id: str
    owner: str
    provider: str
    model: str
    tokens: int
    token_usage: TokenUsage
    cost: float | None
    started_at: Moment | None
    completed_at: Moment | None
    latency_ms: int | None
    ttft_ms: int | None
    user: str | UnsetType = UNSET
    key_id: str | UnsetType = UNSET
    error: RunProblem | UnsetType = UNSET


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a run. `excerpt`, the begin of the answer, needs `conversations:read`."""

    status: str
    reason: str
    usage: Usage | None
    cost: float | None
    excerpt: str | UnsetType = UNSET


class FeedAlert(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A time during which an alert rule was broken. `value`, as it was when the alert began, and
    `threshold` are in `unit`; a `ratio` is from 0 to 1."""

    id: str
    rule_id: str
    name: str
    severity: str
    metric: str
    unit: str
    comparison: str
    value: float
    threshold: float
    window_seconds: int
    triggered_at: Moment
    resolved_at: Moment | None = None
    agent_id: str | UnsetType = UNSET


class OpenConnection(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A WebSocket or an event stream that is open."""

    id: str
    agent_id: str | None
    transport: str
    principal: str
    since: Moment


class FeedMinute(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The runs that were accepted in one minute, and what they have used so far. `errors` have
    failed or were interrupted; `cost` is in US dollars."""

    at: Moment
    runs: int = 0
    errors: int = 0
    cancelled: int = 0
    tokens: int = 0
    cost: float = 0.0
    ttft_p95_ms: int | None = None


class RecentMinutes(msgspec.Struct, frozen=True, kw_only=True):
    """The last hour, oldest first."""

    minutes: list[FeedMinute]


class FeedMessage(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", rename="camel"):
    """Base of all: `at` is when it happened (RFC 3339)."""

    at: Moment


class CommandCenterState(FeedMessage, tag="state", frozen=True, kw_only=True):
    """Everything that is under way now."""

    runs: list[FeedRun]
    alerts: list[FeedAlert]
    connections: list[OpenConnection]


class Reset(FeedMessage, tag="reset", frozen=True, kw_only=True):
    """Some earlier events are no longer kept: `state` follows."""


class RunStarted(FeedMessage, tag="run:started", frozen=True, kw_only=True):
    """A message was accepted: the first event of its run."""

    run: FeedRun


class RunStatusChanged(FeedMessage, tag="run:status_changed", frozen=True, kw_only=True):
    """A run went from one status to another."""

    run_id: str
    from_: str = msgspec.field(name="from")
    to: str


class RunProgress(FeedMessage, tag="run:progress", frozen=True, kw_only=True):
    """The progress of a run, at most twice a second. `elapsed_ms` counts from its acceptance."""

    run_id: str
    tokens: int
    cost: float | None
    elapsed_ms: int


class RunToolStarted(FeedMessage, tag="run:tool_started", frozen=True, kw_only=True):
    """The model has called a tool."""

    run_id: str
    id: str
    tool: str


class RunToolCompleted(FeedMessage, tag="run:tool_completed", frozen=True, kw_only=True):
    """A tool has returned."""

    run_id: str
    id: str
    tool: str
    duration_ms: int
    is_error: bool


class RunLlmCall(FeedMessage, tag="run:llm_call", frozen=True, kw_only=True):
    """A call of the model has ended; without a `stop_reason` it was cut. `cost` is in US dollars,
    `ttft_ms` the time until its first output."""

    run_id: str
    provider: str
    model: str
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost: float | None
    ttft_ms: int | None
    duration_ms: int
    stop_reason: str | None


class RunMemoryOp(FeedMessage, tag="run:memory_op", frozen=True, kw_only=True):
    """A tool has saved, searched or forgotten what an agent remembers; a search has no key."""

    run_id: str
    op: Literal["save", "search", "forget"]
    key: str | None


class RunError(FeedMessage, tag="run:error", frozen=True, kw_only=True):
    """A run has failed; `run:completed` follows."""

    run_id: str
    code: str
    message: str
    retryable: bool


class RunCompleted(FeedMessage, tag="run:completed", frozen=True, kw_only=True):
    """A run is over, however it ended: its last event."""

    result: RunResult
    run: FeedRun


class AlertTriggered(FeedMessage, tag="alert:triggered", frozen=True, kw_only=True):
    """A rule is broken: the first event of its alert."""

    alert: FeedAlert


class AlertResolved(FeedMessage, tag="alert:resolved", frozen=True, kw_only=True):
    """The rule is kept again, or was changed or deleted: the last event of its alert."""

    alert: FeedAlert


AnyMessage: TypeAlias = (
    CommandCenterState
    | Reset
    | RunStarted
    | RunStatusChanged
    | RunProgress
    | RunToolStarted
    | RunToolCompleted
    | RunLlmCall
    | RunMemoryOp
    | RunError
    | RunCompleted
    | AlertTriggered
    | AlertResolved
)
ANSWERS = {"state", "reset"}
"""The types that every reader gets, whatever it asks for."""
TYPES = frozenset(str(kind.__struct_config__.tag) for kind in get_args(AnyMessage)) - ANSWERS
"""The types that a reader may choose from."""
