"""The interface of a model provider: one call, streamed as a few kinds of delta."""

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

import msgspec

from engine.request import ModelRequest
from engine.usage import TokenCounts


class TextDelta(msgspec.Struct, frozen=True, gc=False):
    """Pieces of the answer, none of them empty. Each counts as one token."""

    pieces: list[str]


class ThinkingDelta(msgspec.Struct, frozen=True, gc=False):
    """A piece of the model's reasoning."""

    text: str


class ToolDelta(msgspec.Struct, frozen=True, gc=False):
    """A raw fragment of one tool call; `index` counts the calls of this answer from 0.

    `id` and `name` come with the first fragment only."""

    index: int
    arguments: str
    id: str | None = None
    name: str | None = None


class ToolRequest(msgspec.Struct, frozen=True, gc=False):
    """A complete tool call that the model asks for, by the provider's signal. `unread` holds
    arguments that are no JSON object: the call is not carried out, and the model is told."""

    id: str
    name: str
    args: dict[str, Any]
    unread: str = ""


class Hidden(msgspec.Struct, frozen=True, gc=False):
    """The size, in bytes, of data that is kept for the next call and never shown: a signature,
    redacted thinking, the input of a server's own tool, and the fields of a block beside its
    text."""

    size: int


class Counted(msgspec.Struct, frozen=True, gc=False):
    """The provider's token counts so far: cumulative, each replaces the one before."""

    counts: TokenCounts


class Finished(msgspec.Struct, frozen=True, gc=False):
    """Last delta of a call that ended properly. `blocks` is the assistant's turn in the provider's
    own form where text alone is not enough to send it back, else empty.

    `stop_reason`: end_turn, max_tokens, stop_sequence, tool_use, pause_turn, refusal,
    context_window_exceeded; a reason that we do not know is passed on as it is."""

    stop_reason: str
    blocks: list[dict[str, Any]]


Delta: TypeAlias = TextDelta | ThinkingDelta | ToolDelta | ToolRequest | Hidden | Counted | Finished
Sink: TypeAlias = Callable[[list[Delta]], None]
"""Takes one or more deltas. It is called where the bytes are read, so it never waits."""


class Provider(Protocol):
    """One account at one model server. Many calls may run at once."""

    name: str
    price_list: str | None
    """The price list of its calls; see `engine.usage.price_list_of`."""

    async def call(self, request: ModelRequest, sink: Sink, *, idle_timeout: float) -> None:
        """Make the call. Deltas that arrived together are given to `sink` together.

        Returns after a last delta that is always `Finished`; a stream that the server ends without
        saying why is `ProviderError("upstream_truncated")`. `idle_timeout` (seconds) bounds every
        wait for progress. Every failure is a `ProviderError`; an exception of `sink` ends the call
        and is raised as it is. Cancelling the task closes the connection at once, and `sink` is not
        called again. Retries happen only before the first delta."""
        ...

    async def aclose(self) -> None:
        """Close all connections."""
        ...
