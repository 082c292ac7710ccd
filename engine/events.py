"""The vocabulary: every event of a run, and its JSON.

Names and fields are those of the native protocol (docs/protocol.md), so there is one vocabulary
and not two. Python attributes are snake_case, the JSON is camelCase. The log stores the JSON that
`seal` returns; native watchers get those very bytes.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, TypeAlias, get_args

import msgspec


class Event(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag_field="type",
    rename="camel",
    omit_defaults=True,
    gc=False,
):
    """What every event carries once the log has it (`seal` adds these four)."""

    brief: ClassVar[bool] = False
    """Brief events (several a second) carry only `runId` and `seq`."""

    run_id: str = ""
    seq: int = 0
    conversation_id: str = ""
    message_id: str = ""

    @property
    def type(self) -> str:
        return str(self.__struct_config__.tag)


class Usage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Tokens, money and time of a whole answer. `total_tokens` = input + output.

    `cost` is in USD, null when the price is unknown (never a made-up 0). `source` tells whether the
    provider counted or we estimated (an answer that was cut before its count arrived).
    """

    input_tokens: int
    output_tokens: int
    total_tokens: int
    cost: float | None
    model: str
    latency_ms: int
    ttft_ms: int | None
    tokens_per_second: float | None
    source: Literal["provider", "estimated"]
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0


class Metrics(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`ttft_ms` is null if no token came; `tokens_per_second` counts from the first token."""

    ttft_ms: int | None
    total_ms: int
    token_count: int
    tokens_per_second: float | None


class RunStarted(Event, tag="run_started", kw_only=True, frozen=True):
    """Seq 1: the user's message is committed; model and agent configuration are fixed."""

    agent_id: str
    provider: str
    model: str
    user_message_id: str
    user_content: str
    client_message_id: str | None = None
    queued: int | None = None  # place in line, from 1
    replaces: str | None = None  # this message of the user, and all after it, are history no more


class Typing(Event, tag="typing", kw_only=True, frozen=True):
    """Start when work begins, stop right before the outcome; neither if cancelled while queued."""

    status: Literal["start", "stop"]


class Status(Event, tag="status", kw_only=True, frozen=True):
    """Progress that a person may read; `stage` is for machines."""

    message: str
    stage: str


class Thinking(Event, tag="thinking", kw_only=True, frozen=True):
    """The model's reasoning; `index` counts from 0 without gaps."""

    brief: ClassVar[bool] = True

    content: str
    index: int


class Token(Event, tag="token", kw_only=True, frozen=True):
    """`index` counts from 0 without gaps; a merged token says how many in `count`."""

    brief: ClassVar[bool] = True

    content: str
    index: int
    count: int | None = None


class ToolCallDelta(Event, tag="tool_call_delta", kw_only=True, frozen=True):
    """Raw fragment of a tool call's arguments; `index` tells parallel calls apart."""

    brief: ClassVar[bool] = True

    index: int
    arguments: str
    id: str | None = None
    name: str | None = None


class ToolCall(Event, tag="tool_call", kw_only=True, frozen=True):
    """A complete call. `name`/`arguments` repeat `tool`/`args` for clients that expect those."""

    id: str
    tool: str
    args: dict[str, Any]
    name: str
    arguments: dict[str, Any]


class ToolResult(Event, tag="tool_result", kw_only=True, frozen=True):
    """What a tool gave back, size-capped; `is_error` when it failed."""

    id: str
    tool: str
    result: Any
    is_error: bool
    duration_ms: int


class Step(Event, tag="step", kw_only=True, frozen=True):
    """End of one model call: why it stopped, and the provider's blocks where text alone is not
    enough to send the turn back (thinking signatures, tool calls). No watcher ever gets it."""

    stop_reason: str
    blocks: list[dict[str, Any]] = []


class UsageReported(Event, tag="usage", kw_only=True, frozen=True):
    """After every model call, also one that was cut: these add up to the outcome's usage."""

    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    cost: float | None
    source: Literal["provider", "estimated"]


class MessageComplete(Event, tag="message_complete", kw_only=True, frozen=True):
    """Outcome: the whole text."""

    content: str
    usage: Usage
    stop_reason: str


class Cancelled(Event, tag="cancelled", kw_only=True, frozen=True):
    """Outcome: somebody said stop; the partial text is kept and usable as context."""

    content: str
    usage: Usage
    stop_reason: Literal["cancelled"] = msgspec.field(default_factory=lambda: "cancelled")


class Failed(Event, tag="error", kw_only=True, frozen=True):
    """Outcome: failed or interrupted; the partial text is kept. `retry_after` in milliseconds."""

    code: str
    message: str
    retryable: bool
    content: str
    usage: Usage
    retry_after: int | None = None


class Done(Event, tag="done", kw_only=True, frozen=True):
    """Last event of every run, exactly one. `digest` is ``sha256:`` + hex of the UTF-8 content,
    `length` its bytes."""

    reason: Literal["complete", "cancelled", "error", "interrupted", "budget_exceeded"]
    usage: Usage
    cost: float | None
    metrics: Metrics
    digest: str
    length: int


class Tokens(msgspec.Struct, frozen=True, gc=False):
    """Tokens that arrived together, on their way into the log: there each is a `Token`. `index` is
    the first one's."""

    seq: ClassVar[int] = 0  # it has no place of its own there

    contents: list[str]
    index: int


Outcome: TypeAlias = MessageComplete | Cancelled | Failed
AnyEvent: TypeAlias = (
    RunStarted
    | Typing
    | Status
    | Thinking
    | Token
    | ToolCallDelta
    | ToolCall
    | ToolResult
    | Step
    | UsageReported
    | MessageComplete
    | Cancelled
    | Failed
    | Done
)
NewEvent: TypeAlias = Event | Tokens

TAGS: dict[type[Event], str] = {
    kind: str(kind.__struct_config__.tag) for kind in get_args(AnyEvent)
}
"""The `type` of every kind of event."""
TYPES = frozenset(TAGS.values())
"""What this version knows; a newer process may write others into the same log."""

LAST = "done"
_TOKEN = TAGS[Token]
_SEALED = b'{"type":"token","content":%b,"index":%d%b%d}'
"""What `Stamp.seal` makes of a `Token`."""

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


class Stamp:
    """The identity that `seal` writes into every event of one run."""

    __slots__ = ("_brief", "_full", "conversation_id", "message_id", "run_id")

    def __init__(self, run_id: str, conversation_id: str, message_id: str) -> None:
        self.run_id, self.conversation_id, self.message_id = run_id, conversation_id, message_id
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
        """Types and JSON of what follows one another, of which the first is event `seq`."""
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
