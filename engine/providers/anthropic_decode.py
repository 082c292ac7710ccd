"""An answer of the Messages API, from bytes to deltas, without any I/O."""

from typing import Any

import msgspec

from engine.providers.anthropic_wire import (
    WireBlock,
    WireDelta,
    WireError,
    WireText,
    WireUsage,
    decode_event,
)
from engine.providers.base import (
    Counted,
    Delta,
    Finished,
    TextDelta,
    ThinkingDelta,
    ToolDelta,
    ToolUse,
)
from engine.providers.decoding import PlainText, StreamDecoder, decode_arguments
from engine.providers.faults import fault, stream_fault, without
from engine.text import Text
from engine.usage import TokenCounts

KNOWN_EVENTS = frozenset(
    {b"message_start", b"content_block_start", b"content_block_delta", b"content_block_stop"}
    | {b"message_delta", b"message_stop", b"error"}
)
KNOWN_BLOCKS = frozenset({"text", "thinking", "redacted_thinking", "tool_use", "server_tool_use"})
STOP_REASONS = {"model_context_window_exceeded": "context_window_exceeded"}


class Block:
    """A content block that is arriving; `call` counts the tool calls of the answer from 0."""

    __slots__ = ("call", "fields", "signatures", "start", "text", "type")

    def __init__(self, fields: dict[str, Any], call: int) -> None:
        """Raises `msgspec.ValidationError` for fields of the wrong type."""
        self.fields, self.call = fields, call
        self.start = msgspec.convert(fields, WireBlock)
        self.type = self.start.type
        self.text = Text()
        self.signatures = [self.start.signature or ""]

    def arguments(self) -> dict[str, Any]:
        """Raises `msgspec.DecodeError` for arguments that are no JSON object (cut, usually)."""
        text = str(self.text)
        return decode_arguments(text) if text.strip() else self.start.input or {}

    def closed(self) -> dict[str, Any] | None:
        """The block to send back with the next turn; None for one that the API would refuse."""
        text = str(self.text)
        match self.type:
            case "text":
                return {**self.fields, "text": text} if text.strip() else None
            case "thinking":
                signature = "".join(self.signatures)
                whole = {**self.fields, "thinking": text, "signature": signature}
                return whole if signature else None
            case "tool_use" | "server_tool_use":
                try:
                    return {**self.fields, "input": self.arguments()}
                except msgspec.DecodeError:
                    return None
        return self.fields


class Decoder(StreamDecoder):
    """An answer of the Messages API; `secret` is kept out of failures (servers repeat things)."""

    __slots__ = (
        "_blocks",
        "_broken_call",
        "_calls",
        "_open",
        "_open_calls",
        "_secret",
        "_stop_reason",
        "_usage",
    )

    plain = PlainText(b"event: content_block_delta\ndata: ", WireText)

    def __init__(self, secret: str) -> None:
        super().__init__()
        self._secret = secret
        self._open: dict[int, Block] = {}
        self._blocks: list[Block] = []
        self._calls = self._open_calls = 0
        self._broken_call = False
        self._usage: dict[str, int] = {}
        self._stop_reason: str | None = None

    def end(self) -> list[Delta]:
        """A body that ends before `message_stop` does is a failure."""
        self.failure = fault("upstream_truncated", "the stream ended without message_stop")
        return []

    def _more(self, events: list[WireText]) -> list[str]:
        index = events[0].index
        block = self._open.get(index)
        pieces = [event.delta.text for event in events if event.index == index]
        if block is None or block.type != "text" or len(pieces) != len(events) or "" in pieces:
            return []
        block.text.add("".join(pieces))
        return pieces

    def _event(self, name: bytes, body: bytes, deltas: list[Delta]) -> None:
        if name and name not in KNOWN_EVENTS:
            return
        event = decode_event(body)
        kind = event.type
        if kind == "content_block_delta":  # nearly all of them
            block, delta = self._open.get(event.index), event.delta
            if block is not None and delta is not None:
                self._delta(block, delta, deltas)
        elif kind == "content_block_start":
            self._start(event.index, event.content_block or {}, deltas)
        elif kind == "content_block_stop":
            self._stop(event.index, deltas)
        elif kind == "message_start" and event.message is not None:
            self._count(event.message.usage, deltas)
        elif kind == "message_delta":
            if event.delta is not None and event.delta.stop_reason is not None:
                self._stop_reason = event.delta.stop_reason
            if event.usage is not None:
                self._count(event.usage, deltas)
        elif kind == "message_stop":
            self._finish(deltas)
        elif kind == "error":
            self._fail(event.error or WireError())
        else:
            return
        self.progress = True

    def _delta(self, block: Block, delta: WireDelta, deltas: list[Delta]) -> None:
        kind = delta.type
        if kind == "text_delta" and block.type == "text":
            block.text.add(delta.text)
            self._writing = True
            if delta.text:
                deltas.append(TextDelta([delta.text]))
        elif kind == "thinking_delta" and block.type == "thinking":
            block.text.add(delta.thinking)
            if delta.thinking:
                deltas.append(ThinkingDelta(delta.thinking))
        elif kind == "signature_delta":
            block.signatures.append(delta.signature)
        elif kind == "input_json_delta":
            block.text.add(delta.partial_json)
            if delta.partial_json and block.type == "tool_use":
                deltas.append(ToolDelta(block.call, delta.partial_json))

    def _start(self, index: int, fields: dict[str, Any], deltas: list[Delta]) -> None:
        kind = str(fields.get("type"))
        if kind not in KNOWN_BLOCKS and not kind.endswith("_tool_result"):
            return
        block = self._open[index] = Block(fields, self._calls)
        self._blocks.append(block)
        if kind == "tool_use":
            if not (block.start.id and block.start.name):
                raise msgspec.ValidationError("a tool call without id or name")
            self._calls += 1
            self._open_calls += 1
            deltas.append(ToolDelta(block.call, "", id=block.start.id, name=block.start.name))
        elif kind in ("text", "thinking"):  # some of it may come with the start
            first = WireDelta(f"{kind}_delta", block.start.text, block.start.thinking)
            self._delta(block, first, deltas)

    def _stop(self, index: int, deltas: list[Delta]) -> None:
        block = self._open.pop(index, None)
        if block is None or block.type != "tool_use":
            return
        self._open_calls -= 1
        try:
            deltas.append(ToolUse(block.start.id, block.start.name, block.arguments()))
        except msgspec.DecodeError:  # max_tokens cuts arguments, and then it is no mistake
            self._broken_call = True

    def _count(self, usage: WireUsage, deltas: list[Delta]) -> None:
        said = msgspec.to_builtins(usage)
        said |= said.pop("output_tokens_details") or {}
        self._usage |= {name: count for name, count in said.items() if count is not None}
        read = self._usage.get("cache_read_input_tokens", 0)
        written = self._usage.get("cache_creation_input_tokens", 0)
        fresh = self._usage.get("input_tokens")
        counts = TokenCounts(
            input_tokens=None if fresh is None else fresh + read + written,
            output_tokens=self._usage.get("output_tokens"),
            cache_read_tokens=read,
            cache_write_tokens=written,
            reasoning_tokens=self._usage.get("thinking_tokens", 0),
        )
        deltas.append(Counted(counts))

    def _finish(self, deltas: list[Delta]) -> None:
        reason = self._stop_reason
        if reason is None:
            self.failure = fault("upstream_truncated", "message_stop without a stop reason")
        elif self._open_calls or (reason == "tool_use" and self._broken_call):
            self.failure = fault("upstream_error", "a tool call that is not whole")
        else:
            blocks = [closed for block in self._blocks if (closed := block.closed()) is not None]
            plain = all(block["type"] == "text" for block in blocks)
            deltas.append(Finished(STOP_REASONS.get(reason, reason), [] if plain else blocks))
            self.done = True

    def _fail(self, error: WireError) -> None:
        reason = f"in the stream: {error.type}: {error.message}"
        self.failure = stream_fault(error.type, without(self._secret, reason))
