"""The vocabulary: every event of a run, and its JSON.

Names and fields are those of the native protocol (docs/protocol.md), so there is one vocabulary
and not two. Python attributes are snake_case, the JSON is camelCase. The log stores the JSON that
`seal` returns; native watchers get those very bytes.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, Literal, TypeAlias, get_args

import msgspec

from engine.events.base import Event as Event
from engine.events.parts import ASK_USER as ASK_USER
from engine.events.parts import Approvers as Approvers
from engine.events.parts import DecidedBy as DecidedBy
from engine.events.parts import Metrics as Metrics
from engine.events.parts import Pending as Pending
from engine.events.parts import Source as Source
from engine.events.parts import Usage as Usage
from engine.events.timeline import Timeline as Timeline


class RunStarted(Event, tag="run_started", kw_only=True, frozen=True):
    """The first event. The user's message is stored, model and agent configuration are fixed.
    `context` is the page on which the message was written."""

    agent_id: str
    provider: str
    model: str
    user_message_id: str
    user_content: str
    client_message_id: str | None = None
    context: dict[str, Any] | None = None
    queued: int | None = None  # place in line, from 1
    replaces: str | None = None  # this message of the user, and all after it, leave the history
    parent_run_id: str | None = None  # the run of the agent that asks this one


class Typing(Event, tag="typing", kw_only=True, frozen=True):
    """`start` when work begins, `stop` right before the outcome. A run that is cancelled while it
    is queued has neither."""

    status: Literal["start", "stop"]


class Status(Event, tag="status", kw_only=True, frozen=True):
    """Progress. `message` is for people, `stage` for programs."""

    message: str
    stage: str


class Sources(Event, tag="sources", kw_only=True, frozen=True):
    """The passages that a search has found, the best first."""

    sources: list[Source]


class Thinking(Event, tag="thinking", kw_only=True, frozen=True):
    """The model's reasoning; `index` counts from 0 without gaps."""

    brief: ClassVar[bool] = True

    content: str
    index: int


class Token(Event, tag="token", kw_only=True, frozen=True):
    """A piece of the answer. `index` counts from 0 without gaps; a merged token says in `count` how
    many it joins. The first token of an attempt has the milliseconds until it came in `ttft_ms`."""

    brief: ClassVar[bool] = True

    content: str
    index: int
    count: int | None = None
    ttft_ms: int | None = None


class ToolCallDelta(Event, tag="tool_call_delta", kw_only=True, frozen=True):
    """A raw fragment of a tool call's arguments. `index` tells parallel calls apart."""

    brief: ClassVar[bool] = True

    index: int
    arguments: str
    id: str | None = None
    name: str | None = None


class ToolCall(Event, tag="tool_call", kw_only=True, frozen=True):
    """A complete call. `name`/`arguments` repeat `tool`/`args` for clients that expect those.
    `client`: the client that asked carries it out, and sends the result. `child_run_id`: another
    agent carries it out, in this run."""

    id: str
    tool: str
    args: dict[str, Any]
    name: str
    arguments: dict[str, Any]
    client: bool = False
    child_run_id: str | None = None


class ToolResult(Event, tag="tool_result", kw_only=True, frozen=True):
    """The result of a tool, limited in size. `is_error` says that the tool failed, `client` that
    the client was asked for it: an answer, or the result of its own tool."""

    id: str
    tool: str
    result: Any
    is_error: bool
    duration_ms: int
    client: bool = False
    child_run_id: str | None = None


class ApprovalRequired(Event, tag="approval_required", kw_only=True, frozen=True):
    """The call `id` is carried out once somebody has approved it. `args_digest` is `sha256:` and
    the hex digest of the canonical JSON (RFC 8785) of `{runId, id, tool, args}`. A call of another
    agent's run, which this run waits for, has that run in `child_run_id`, and in its digest."""

    id: str
    tool: str
    args: dict[str, Any]
    args_digest: str
    expires_at: datetime
    approvers: Approvers
    editable: bool = False
    child_run_id: str | None = None


class ApprovalDecided(Event, tag="approval_decided", kw_only=True, frozen=True):
    """The end of an approval: somebody's decision, or its expiry. `args` are those that were
    approved in place of the model's."""

    id: str
    approved: bool
    by: DecidedBy
    approvers: Approvers
    args: dict[str, Any] | None = None
    reason: str | None = None
    child_run_id: str | None = None


class Question(Event, tag="question", kw_only=True, frozen=True):
    """The agent asks whoever talks to it. The answer is one of `choices`, or JSON that fits
    `schema`, or any text."""

    id: str
    text: str
    expires_at: datetime
    choices: list[str] | None = None
    schema: dict[str, Any] | None = None
    child_run_id: str | None = None


class Steered(Event, tag="steered", kw_only=True, frozen=True):
    """A later message of the user has joined this run at the end of a step: the model sees it with
    the results of the tools, and answers it too."""

    user_message_id: str
    content: str
    client_message_id: str | None = None
    context: dict[str, Any] | None = None  # the page on which it was written


class Step(Event, tag="step", kw_only=True, frozen=True):
    """End of one model call: why it stopped, and the provider's blocks where text alone is not
    enough to send the turn back (thinking signatures, tool calls)."""

    internal: ClassVar[bool] = True

    stop_reason: str
    blocks: list[dict[str, Any]] = []

    @property
    def tool_calls(self) -> list[dict[str, Any]]:
        """The blocks of the calls that the model waits for; none if it stopped for another
        reason (`max_tokens` may cut a call in two)."""
        if self.stop_reason != "tool_use":
            return []
        return [block for block in self.blocks if block.get("type") == "tool_use"]


class UsageReported(Event, tag="usage", kw_only=True, frozen=True):
    """The usage of one model call, also of one that was cut; `ttft_ms` until its first output."""

    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    cost: float | None
    source: Literal["provider", "estimated"]
    duration_ms: int = 0
    ttft_ms: int | None = None


class MemoryOp(Event, tag="memory_op", kw_only=True, frozen=True):
    """A tool has saved, searched or forgotten a memory; `key` is None for a search."""

    internal: ClassVar[bool] = True

    op: Literal["save", "search", "forget"]
    key: str | None


class RunWaiting(Event, tag="run_waiting", kw_only=True, frozen=True):
    """Last event of an attempt that ends without an outcome, because the calls in `pending` wait
    for somebody; without any it waits for the runs of other agents. `worked_ms` is how long the run
    has worked so far, without its waits."""

    internal: ClassVar[bool] = True

    pending: list[Pending]
    expires_at: datetime | None
    worked_ms: int


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


class Tokens(msgspec.Struct, frozen=True, gc=False):
    """Tokens that arrived together, on their way into the log, where each becomes a `Token`.
    `index` is that of the first."""

    seq: ClassVar[int] = 0  # it has no place of its own in the log

    contents: list[str]
    index: int

    def timed(self, ttft_ms: int) -> "list[Token | Tokens]":
        """The same tokens; the first one says when it came."""
        first = Token(content=self.contents[0], index=self.index, ttft_ms=ttft_ms)
        rest = self.contents[1:]
        return [first, Tokens(rest, self.index + 1)] if rest else [first]


Outcome: TypeAlias = MessageComplete | Cancelled | Failed
AnyEvent: TypeAlias = (
    RunStarted
    | Typing
    | Status
    | Sources
    | Thinking
    | Token
    | ToolCallDelta
    | ToolCall
    | ToolResult
    | ApprovalRequired
    | ApprovalDecided
    | Question
    | Steered
    | Step
    | RunWaiting
    | Timeline
    | MemoryOp
    | UsageReported
    | MessageComplete
    | Cancelled
    | Failed
    | Done
)
NewEvent: TypeAlias = Event | Tokens
Batch: TypeAlias = tuple[list[str], list[bytes], int]
"""Events of one run that follow one another, at least one: their types, their JSON as the log has
it, and the seq of the last."""

TAGS: dict[type[Event], str] = {
    kind: str(kind.__struct_config__.tag) for kind in get_args(AnyEvent)
}
"""The `type` of every kind of event."""
TYPES = frozenset(TAGS.values())
"""The types that this version knows. A newer process may write others into the same log."""
INTERNAL = frozenset(tag for kind, tag in TAGS.items() if kind.internal)

LAST = "done"
WAITING = TAGS[RunWaiting]
_TOKEN = TAGS[Token]
_SEALED = b'{"type":"token","content":%b,"index":%d%b%d}'
"""The JSON that `Stamp.seal` makes of a `Token`."""

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


class Stamp:
    """The identity that `seal` writes into every event of one run.

    `owner` is not written: it says whose the events are where they are stored."""

    __slots__ = ("_brief", "_full", "conversation_id", "message_id", "owner", "run_id")

    def __init__(self, run_id: str, conversation_id: str, message_id: str, owner: str = "") -> None:
        self.run_id, self.conversation_id, self.message_id = run_id, conversation_id, message_id
        self.owner = owner
        ids = {"conversationId": conversation_id, "messageId": message_id, "runId": run_id}
        self._brief = b"," + _encoder.encode({"runId": run_id})[1:-1] + b',"seq":'
        self._full = b"," + _encoder.encode(ids)[1:-1] + b',"seq":'

    def mark(self, event: RunStarted, seq: int) -> RunStarted:
        """The event as it will be read back from the log: with its ids and position."""
        return msgspec.structs.replace(
            event,
            run_id=self.run_id,
            conversation_id=self.conversation_id,
            message_id=self.message_id,
            seq=seq,
        )

    def seal(self, event: Event, seq: int) -> bytes:
        """The event's JSON as the log stores it: one line, `type` first, `seq` last."""
        ids = self._brief if event.brief else self._full
        return b"%b%b%d}" % (_encoder.encode(event)[:-1], ids, seq)

    def seal_all(self, events: Sequence[NewEvent], seq: int) -> tuple[list[str], list[bytes]]:
        """The types and the JSON of events that follow one another. The first is event `seq`."""
        encode, brief = _encoder.encode, self._brief
        types: list[str] = []
        lines: list[bytes] = []
        for event in events:
            if isinstance(event, Tokens):
                gap = seq + len(lines) - event.index
                types += [_TOKEN] * len(event.contents)
                lines += [
                    _SEALED % (encode(content), n, brief, n + gap)
                    for n, content in enumerate(event.contents, event.index)
                ]
            else:
                types.append(TAGS[type(event)])
                lines.append(self.seal(event, seq + len(lines)))
        return types, lines


def decode(data: bytes) -> AnyEvent:
    """The event of a sealed JSON line; fields that this version does not know are ignored.

    Raises `msgspec.ValidationError` on an unknown type or a field of the wrong type."""
    return _decoder.decode(data)


def type_of(data: bytes) -> str:
    """The `type` of a sealed event without decoding it (it is always written first)."""
    return data[9 : data.index(b'"', 9)].decode()


def seq_of(data: bytes) -> int:
    """The `seq` of a sealed event without decoding it (it is always written last)."""
    return int(data[data.rindex(b":") + 1 : -1])
