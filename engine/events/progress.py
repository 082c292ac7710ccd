"""The events of a run at work."""

from datetime import datetime
from typing import Any, ClassVar, Literal

import msgspec

from engine.events.base import Event
from engine.events.parts import Pending, Source


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
