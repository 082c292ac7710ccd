"""Decodes an answer of the Messages API: from bytes to deltas, without any I/O."""

from typing import Any

import msgspec

from engine.ids import new_id
from engine.providers.anthropic.lenient import read_block, read_event
from engine.providers.anthropic.wire import (
    WireDelta,
    WireEvent,
    WireMessage,
    WireText,
    decode_event,
)
from engine.providers.base import (
    Counted,
    Delta,
    Finished,
    Hidden,
    TextDelta,
    ThinkingDelta,
    ToolDelta,
    ToolRequest,
)
from engine.providers.server.decoder import FLAT, MAX_BLOCKS, PlainText, StreamDecoder, request_of
from engine.providers.server.lenient import DONE, count_of, read_json
from engine.providers.server.reasons import BROKEN_OFF, CUT, read_reason, worse
from engine.providers.server.refusals.classifier import refused
from engine.providers.server.refusals.complaints import is_complaint, read_complaint, says
from engine.providers.server.refusals.faults import fault
from engine.text import Joiner, Text
from engine.usage import TokenCounts

NAMELESS = frozenset({b"", b"message"})
"""Event names that say nothing: https://html.spec.whatwg.org/multipage/server-sent-events.html"""
KNOWN_EVENTS = frozenset(
    {b"message_start", b"content_block_start", b"content_block_delta", b"content_block_stop"}
    | {b"message_delta", b"message_stop", b"error"}
)
KNOWN_BLOCKS = frozenset({"text", "thinking", "redacted_thinking", "tool_use", "server_tool_use"})
SPOKEN = {"text_delta": "text", "thinking_delta": "thinking"}
"""Kinds of delta that are shown, and the blocks that they belong to."""
COUNTS = (
    *("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"),
)


class Block:
    """A content block that is arriving; `call` counts the tool calls of the answer from 0.
    `answered`: the model gets a result for it, although its arguments cannot be read."""

    __slots__ = ("answered", "call", "fields", "joiner", "signatures", "start", "text", "type")

    def __init__(self, fields: dict[str, Any], call: int) -> None:
        self.fields, self.call, self.answered = fields, call, False
        self.start = read_block(fields)
        self.type = self.start.type
        self.text, self.joiner = Text(), Joiner()
        self.signatures = [self.start.signature]

    @property
    def known(self) -> bool:
        """Whether it is sent back with the next turn."""
        return self.type in KNOWN_BLOCKS or self.type.endswith("_tool_result")

    @property
    def spoken(self) -> bool:
        """Whether it is shown."""
        return self.type in ("text", "thinking")

    def add(self, piece: str) -> str:
        """Takes a piece of its text or arguments; returns what of it can be shown."""
        joined = self.joiner.join(piece)
        self.text.add(joined)
        return joined

    def use(self) -> ToolRequest:
        """The request of the call, from the arguments that have come."""
        text = str(self.text)
        return request_of(
            self.start.id, self.start.name, text if text.strip() else self.start.input
        )

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
                use = self.use()
                dropped = use.unread and not self.answered
                return None if dropped else {**self.fields, "input": use.args}
        return self.fields


class Decoder(StreamDecoder):
    """Decodes one answer. `secret` is kept out of failures, since a server may repeat it."""

    __slots__ = (
        "_beside",
        "_blocks",
        "_calls",
        "_open",
        "_reason",
        "_secret",
        "_unread",
        "_usage",
    )

    plain = PlainText(b"event: content_block_delta\ndata: ", WireText)

    def __init__(self, secret: str) -> None:
        super().__init__()
        self._secret = secret
        self._open: dict[int, Block] = {}
        self._beside: dict[tuple[int, str], Block] = {}  # what came for a block of another kind
        self._blocks: list[Block] = []
        self._calls = 0
        self._unread: list[tuple[Block, ToolRequest]] = []
        self._usage: dict[str, int] = {}
        self._reason: str | None = None

    @property
    def reasoned(self) -> bool:
        """See `StreamDecoder`."""
        return self._reason is not None

    def _end(self, deltas: list[Delta]) -> None:
        """Ends the answer by its stop reason alone: some servers send no `message_stop`."""
        self._finish(deltas)

    def _more(self, events: list[WireText]) -> list[str]:
        index = events[0].index
        block = self._open.get(index)
        pieces = [event.delta.text for event in events if event.index == index]
        if block is None or block.type != "text" or len(pieces) != len(events) or "" in pieces:
            return []
        block.text.add("".join(pieces))
        return pieces

    def _event(self, name: bytes, body: bytes, deltas: list[Delta]) -> None:
        try:
            event = decode_event(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            event = None
        # These have fields of their own. A text may stand where the first reader sees none.
        if event is None or event.type in ("message", "error") or _is_mute(event):
            self._read_again(name.lower(), body, deltas)
        else:
            self._take_event(event, deltas)

    def _read_again(self, name: bytes, body: bytes, deltas: list[Delta]) -> None:
        """Read an event that the first reader refused. One of an unknown name may be nonsense."""
        kind = "" if name in NAMELESS else name.decode(errors="replace")
        if name == b"error" and b"{" not in body:
            self._fail(body.decode(errors="replace"))
            return
        try:
            for said in read_json(body):
                if said == DONE and self.reasoned:
                    self._finish(deltas)
                elif (
                    isinstance(said, dict)
                    and not (kind or said.get("type"))
                    and is_complaint(said, answering=bool(self._blocks))
                ):
                    self._fail(said)
                elif isinstance(said, dict):
                    self._take_event(read_event(said, kind), deltas)
                if self.done or self.failure is not None:
                    return
        except msgspec.DecodeError:
            if name in NAMELESS or name in KNOWN_EVENTS:
                raise

    def _take_event(self, event: WireEvent, deltas: list[Delta]) -> None:
        kind = event.type
        if kind == "content_block_delta":  # nearly all of them
            if event.delta is not None:
                self._delta(event.index, event.delta, deltas)
        elif kind == "content_block_start":
            self._start(event.index, event.content_block or {}, deltas)
        elif kind == "content_block_stop":
            self._stop(event.index, deltas)
        elif kind in ("message_start", "message"):
            self._begin(event.message or WireMessage(), deltas)
            self._count(event.usage, deltas)
        elif kind == "message_delta":
            self._take_end(event, deltas)
        elif kind == "message_stop":
            if event.message is not None and not self._blocks:
                self._begin(event.message, deltas)
            self._take_end(event, deltas)
            self._finish(deltas)
        elif kind == "error" or says(event.error):
            self._fail(event.error)
        elif kind != kind.lower():
            self._take_event(msgspec.structs.replace(event, type=kind.lower()), deltas)
            return
        else:
            return
        self.progress = True

    def _take_end(self, event: WireEvent, deltas: list[Delta]) -> None:
        """The reason and the counts, in whichever part of the event they stand."""
        for part in (event.delta, event.message, event):
            if part is not None:
                self._reason = worse(self._reason, read_reason(part.stop_reason))
                self._count(part.usage, deltas)

    def _begin(self, message: WireMessage, deltas: list[Delta]) -> None:
        """A server that does not stream sends its whole answer at once."""
        self._count(message.usage, deltas)
        for fields in message.content:
            index = len(self._blocks)
            self._start(index, fields if isinstance(fields, dict) else {"type": "text"}, deltas)
            if isinstance(fields, str):
                self._delta(index, WireDelta(text=fields), deltas)
            self._stop(index, deltas)
        if message.content:
            self._reason = worse(self._reason, read_reason(message.stop_reason))

    def _delta(self, index: int, delta: WireDelta, deltas: list[Delta]) -> None:
        kind = delta.type if delta.type in SPOKEN else delta.type.lower() or _kind_of(delta)
        block = self._open.get(index)
        if kind in SPOKEN:
            if piece := delta.text or delta.thinking:
                self._say(self._speaking(index, SPOKEN[kind], block), piece, deltas)
        elif kind == "input_json_delta":
            if block is None or block.spoken:
                block = self._only_call()
            if block is None:
                if delta.partial_json.strip():
                    raise msgspec.ValidationError("arguments of no tool call")
            elif part := block.add(delta.partial_json):
                visible = block.type == "tool_use"
                deltas.append(ToolDelta(block.call, part) if visible else Hidden(len(part)))
        elif kind == "signature_delta" and block is not None:
            block.signatures.append(delta.signature)
            deltas.append(Hidden(len(delta.signature)))

    def _only_call(self) -> Block | None:
        """The call that is open, if it is the only one: some servers count its pieces otherwise."""
        calls = [block for block in self._open.values() if block.type == "tool_use"]
        return calls[0] if len(calls) == 1 else None

    def _speaking(self, index: int, kind: str, block: Block | None) -> Block:
        """The block that a piece belongs to: the open one, or else a new one before it. So no text
        is lost where a server leaves out the frame."""
        if block is not None and block.type == kind:
            return block
        if (own := self._beside.get((index, kind))) is None:
            self._check_room()
            own = Block({"type": kind}, self._calls)
            if block is None:
                self._open[index] = own
            else:
                self._beside[index, kind] = own
            place = self._blocks.index(block) if block in self._blocks else len(self._blocks)
            self._blocks.insert(place, own)
        return own

    def _check_room(self) -> None:
        if max(len(self._blocks), len(self._open)) >= MAX_BLOCKS:
            raise msgspec.ValidationError("too many blocks")

    def _say(self, block: Block, piece: str, deltas: list[Delta]) -> None:
        text = block.add(piece)
        if block.type == "text":
            self._writing = not block.joiner.held
        if text:
            deltas.append(TextDelta([text]) if block.type == "text" else ThinkingDelta(text))

    def _start(self, index: int, fields: dict[str, Any], deltas: list[Delta]) -> None:
        self._stop(index, deltas)  # one that was left open
        self._check_room()
        block = self._open[index] = Block(fields, self._calls)
        if (size := len(msgspec.json.encode(fields))) > FLAT:
            deltas.append(Hidden(size))
        if block.type == "tool_use":
            if not block.start.name:
                raise msgspec.ValidationError("a tool call without a name")
            if not block.start.id or self._has_call(block.start.id):
                block.start.id = new_id("toolu")
            block.fields = {**fields, "id": block.start.id, "name": block.start.name}
            self._calls += 1
            deltas.append(ToolDelta(block.call, "", id=block.start.id, name=block.start.name))
        elif block.spoken and (first := block.start.text or block.start.thinking):
            self._say(block, first, deltas)  # some of it may come with the start
        if block.known:
            self._blocks.append(block)

    def _has_call(self, id: str) -> bool:
        return any(block.type == "tool_use" and block.start.id == id for block in self._blocks)

    def _stop(self, index: int, deltas: list[Delta]) -> None:
        block = self._open.pop(index, None)
        beside = [self._beside.pop((index, kind), None) for kind in SPOKEN.values()]
        for ended in (block, *beside):
            if ended is not None and ended.spoken and (held := ended.joiner.end()):
                self._say(ended, held, deltas)
        if block is None or block.type != "tool_use":
            return
        use = block.use()
        if use.unread:  # which `max_tokens` may have cut: the stop reason tells
            self._unread.append((block, use))
        else:
            deltas.append(use)

    def _count(self, said: Any, deltas: list[Delta]) -> None:
        """Take token counts. They are cumulative, so the last one counts. One that cannot be read
        or believed is estimated later."""
        if not isinstance(said, dict):
            return
        details = said.get("output_tokens_details")
        thinking = details.get("thinking_tokens") if isinstance(details, dict) else None
        for name in COUNTS:
            self._note(name, said.get(name))
        self._note("thinking_tokens", thinking)
        read = self._usage.get("cache_read_input_tokens", 0)
        written = self._usage.get("cache_creation_input_tokens", 0)
        fresh = self._usage.get("input_tokens")
        counts = TokenCounts(
            # No prompt has none: a server that says so has not counted.
            input_tokens=None if fresh is None else fresh + read + written or None,
            output_tokens=self._usage.get("output_tokens"),
            cache_read_tokens=read,
            cache_write_tokens=written,
            reasoning_tokens=self._usage.get("thinking_tokens", 0),
        )
        deltas.append(Counted(counts))

    def _note(self, name: str, said: Any) -> None:
        count = count_of(said)
        if count or (count == 0 and name not in self._usage):
            self._usage[name] = count

    def _finish(self, deltas: list[Delta]) -> None:
        reason = self._reason
        if reason is None or reason == BROKEN_OFF:
            self.failure = fault("upstream_truncated", "an answer without a stop reason")
            return
        for index in list(self._open):
            self._stop(index, deltas)
        cut = reason in CUT
        if not cut:
            for block, use in self._unread:
                block.answered = True
                deltas.append(use)
        if self._calls and not cut:
            reason = "tool_use"
        elif reason == "tool_use":
            reason = "end_turn"
        blocks = [closed for block in self._blocks if (closed := block.closed()) is not None]
        plain = all(block["type"] == "text" for block in blocks) and reason != "pause_turn"
        deltas.append(Finished(reason, [] if plain else blocks))
        self.done = True

    def _fail(self, said: Any) -> None:
        self.complaint = said
        self.failure = refused(read_complaint(said), secret=self._secret)


def _kind_of(delta: WireDelta) -> str:
    """The type of a delta that has none, by its fields."""
    if delta.partial_json:
        return "input_json_delta"
    if delta.signature:
        return "signature_delta"
    return "thinking_delta" if delta.thinking else "text_delta"


def _is_mute(event: WireEvent) -> bool:
    delta = event.delta
    if delta is None:
        return event.type == "content_block_delta"
    return delta.type == "text_delta" and not delta.text
