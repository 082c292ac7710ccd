"""The vocabulary of events, and the JSON of each as the log has it."""

from collections.abc import Sequence
from typing import TypeAlias, get_args

import msgspec

from engine.events.base import Event
from engine.events.outcomes import Cancelled, Done, Failed, MessageComplete
from engine.events.progress import (
    MemoryOp,
    RunStarted,
    RunWaiting,
    Sources,
    Status,
    Steered,
    Step,
    Thinking,
    Token,
    Tokens,
    Typing,
    UsageReported,
)
from engine.events.timeline import Timeline
from engine.events.tools import (
    ApprovalDecided,
    ApprovalRequired,
    Question,
    ToolCall,
    ToolCallDelta,
    ToolResult,
)

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
