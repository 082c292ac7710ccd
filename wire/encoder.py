"""The seam between a run's events and the protocols that clients read them in.

A protocol is one module of `wire/encoders/`, one line in `ENCODERS`, and a test that runs the suite
of `tests/wire/contract.py`.
"""

from typing import ClassVar, Protocol

import msgspec

from engine.errors import ClawError
from engine.events import Batch
from wire.encoders.ag_ui import AgUiEvents
from wire.encoders.ai_sdk import UiMessageChunks
from wire.encoders.completions import CompletionChunks
from wire.encoders.conversation import ConversationEvents
from wire.encoders.mcp import McpCall
from wire.encoders.native import SocketFrames, SseEvents
from wire.encoders.responses import ResponseEvents
from wire.encoders.simple import Chunks, ContentSse, SimpleSse, Texts, Thoughts
from wire.frames import Snapshot
from wire.native import OnDisconnect
from wire.selection import Selection


class Encoder(Protocol):
    """Encodes one run for one watcher. It may keep state, such as a text part that is open; it does
    no I/O, reads no clock and knows no request. Each returned item is one write.

    Calls come in this order: `opening`, any of `events`, `snapshot` and `keepalive`, then `close`.
    The client reads the same however events are cut into batches."""

    on_disconnect: ClassVar[OnDisconnect | None]
    """The fate of the run when the client vanishes, unless the request names one. None leaves it to
    the agent."""
    waits: ClassVar[bool]
    """Whether the client learns what the run waits for. Else its stream ends when the run begins to
    wait: nothing that it gets would say why nothing comes."""

    def __init__(self, selection: Selection, run_id: str | None) -> None:
        """`run_id` is None while no run is followed."""
        ...

    def opening(self, after: int = 0) -> list[bytes]:
        """The first bytes. The events after position `after` follow."""
        ...

    def events(self, batch: Batch) -> list[bytes]:
        """Events that are there together. An open part is closed before an outcome."""
        ...

    def snapshot(self, snapshot: Snapshot) -> list[bytes]:
        """The run so far, in place of everything that the client has."""
        ...

    def keepalive(self) -> list[bytes]:
        """Bytes that keep a silent connection alive and mean nothing to the client."""
        ...

    def close(self, error: ClawError | None = None) -> list[bytes]:
        """The last bytes. They close what is open, then tell `error` if the run goes on without
        this client."""
        ...


ENCODERS: dict[str, type[Encoder]] = {
    "websocket": SocketFrames,
    "sse": SseEvents,
    "conversation": ConversationEvents,
    "simple": SimpleSse,
    "content": ContentSse,
    "ws-agent": Texts,
    "ws-chat": Chunks,
    "ws-agent-thoughts": Thoughts,
    "completions": CompletionChunks,
    "responses": ResponseEvents,
    "ai-sdk": UiMessageChunks,
    "ag-ui": AgUiEvents,
    "mcp": McpCall,
}
"""Every protocol by its name."""


class Encoding(msgspec.Struct, frozen=True):
    """A watcher's choice of encoding and events: at most one write in `pace` seconds."""

    protocol: type[Encoder]
    selection: Selection
    pace: float = 0.0

    def encoder(self, run_id: str | None = None) -> Encoder:
        """The encoder of one run."""
        return self.protocol(self.selection, run_id)
