"""A finished or running run, event by event, with times: what an inspector sees."""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from engine.events import UsageReported
from wire.parse import Moment


class ReplayedEvent(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An event as the log has it. Tokens (or thoughts) that came in one moment are one event: `seq`
    is that of the first, `count` how many they are. `gap_ms` since the event before. The times are
    null where nobody has noted them."""

    seq: int
    type: str
    at: Moment | None
    gap_ms: int | None
    event: dict[str, Any]
    count: int | UnsetType = UNSET


class ReplayedCall(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One call of the model, whose usage is event `seq`; `number` from 1."""

    number: int
    seq: int
    usage: UsageReported


class Gap(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A wait: nothing came for so long before event `seq`."""

    seq: int
    gap_ms: int


class Replay(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The events of a run after a position, all calls of the model, and the longest waits among
    these events, the longest first. `next_cursor` is the position of the page's last event."""

    run_id: str
    events: list[ReplayedEvent]
    calls: list[ReplayedCall]
    longest_gaps: list[Gap]
    next_cursor: int | None


class SentTurn(msgspec.Struct, frozen=True, kw_only=True):
    """A message of what the model was sent; files are named, without their contents."""

    role: str
    content: str
    blocks: list[dict[str, Any]]


class SentRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What the model was sent, put together anew from the run's log and its conversation as it is
    stored: without the descriptions of tools, and without messages that were deleted since."""

    call: int
    model: str
    instructions: str
    turns: list[SentTurn]
    max_tokens: int
    thinking: bool
    parameters: dict[str, Any]
