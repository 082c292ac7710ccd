"""Decodes an answer of Chat Completions: from bytes to deltas, without any I/O."""

from typing import Any

import msgspec

from engine.ids import new_id
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
from engine.providers.openai.lenient import read_chunk
from engine.providers.openai.usage import UsageReader
from engine.providers.openai.wire import (
    WireCall,
    WireChoice,
    WireChunk,
    WireDelta,
    WireFunction,
    WireText,
    decode_chunk,
)
from engine.providers.server.decoder import MAX_BLOCKS, PlainText, StreamDecoder, request_of
from engine.providers.server.lenient import DONE, read_json, text_of
from engine.providers.server.reasons import BROKEN_OFF, CUT, read_reason, worse
from engine.providers.server.refusals.classifier import refused
from engine.providers.server.refusals.complaints import is_complaint, read_complaint, remarks, says
from engine.providers.server.refusals.faults import fault, without
from engine.text import Joiner, Text

DONE_BYTES = DONE.encode()
THINKING_FIELDS = ("reasoning_content", "reasoning", "thinking")
"""The names of servers for thinking. The last one is ours, for parts of the content."""


USUAL = frozenset({"tool_use", "pause_turn"})
"""Reasons that mean a usual end where no call came: Google and older Ollamas say `stop` for tool
calls too, so the calls decide."""


class Call:
    """A tool call that is arriving; `number` counts the calls of the answer from 0."""

    __slots__ = ("arguments", "extra", "given_id", "id", "index", "joiner", "name", "number")

    def __init__(
        self, index: int | None, given_id: str | None, name: str, before: list["Call"]
    ) -> None:
        """`index` is the server's; a call without an id of its own gets one of ours."""
        self.index, self.number, self.given_id = index, len(before), given_id
        taken = any(call.id == given_id for call in before)
        self.id: str = given_id if given_id and not taken else new_id("call")
        self.name = name
        self.arguments, self.joiner = Text(), Joiner()
        self.extra: dict[str, Any] = {}

    def add(self, arguments: str) -> str:
        """Takes a fragment; returns what of it can be shown."""
        joined = self.joiner.join(arguments)
        self.arguments.add(joined)
        return joined

    def use(self) -> ToolRequest:
        """The request of the call, once all of its arguments have come."""
        return request_of(self.id, self.name, str(self.arguments))


class Decoder(StreamDecoder):
    """Decodes one answer. `secret` is kept out of failures, since a server may repeat it."""

    __slots__ = (
        "_calls",
        "_joiner",
        "_reason",
        "_refused",
        "_remark",
        "_secret",
        "_text",
        "_thinking",
        "_thinking_field",
        "_thinking_joiner",
        "_usage",
        "_whole",
    )

    plain = PlainText(b"data: ", WireText)

    def __init__(self, secret: str) -> None:
        super().__init__()
        self._secret = secret
        self._calls: list[Call] = []
        self._text, self._joiner = Text(), Joiner()
        self._thinking, self._thinking_joiner = Text(), Joiner()
        self._thinking_field = ""
        self._refused = False
        self._reason: str | None = None
        self._usage = UsageReader()
        self._whole: WireDelta | None = None  # a message that came beside an empty delta
        self._remark: Any = None  # what was said in words that are no answer

    @property
    def reasoned(self) -> bool:
        """See `StreamDecoder`."""
        return self._reason is not None

    def _end(self, deltas: list[Delta]) -> None:
        """Ends the answer by its finish reason alone: some servers send no `[DONE]`."""
        self._finish(deltas)

    def _more(self, events: list[WireText]) -> list[str]:
        pieces = [event.choices[0].delta.content for event in events]
        if "" in pieces:
            return []
        self._text.add("".join(pieces))
        return pieces

    def _event(self, name: bytes, body: bytes, deltas: list[Delta]) -> None:
        if body == DONE_BYTES:
            self._finish(deltas)
            return
        try:
            chunk = decode_chunk(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            chunk = None
        if chunk is not None and (
            chunk.choices or chunk.usage or chunk.error or chunk.finish_reason
        ):
            self._chunk(chunk, deltas)
        else:
            self._read_again(name, body, deltas)

    def _read_again(self, name: bytes, body: bytes, deltas: list[Delta]) -> None:
        """Read an event that the first reader refused or found empty: an error in another form."""
        if name.lower() == b"error" and b"{" not in body:
            self._fail(body.decode(errors="replace"))
            return
        for said in read_json(body):
            if name.lower() == b"error" or is_complaint(said, answering=self._answering):
                self._fail(said)
                return
            if remarks(said):
                self._remark = said
            for value in said if isinstance(said, list) else [said]:
                if value == DONE:
                    self._finish(deltas)
                elif isinstance(value, dict):
                    self._chunk(read_chunk(value), deltas)
                if self.done or self.failure is not None:
                    return

    @property
    def _answering(self) -> bool:
        said = self._text.size or self._joiner.held or self._thinking.size or self._calls
        return bool(said) or self.reasoned

    def _chunk(self, chunk: WireChunk, deltas: list[Delta]) -> None:
        for choice in chunk.choices or ():
            self.progress = True
            if choice.index == 0:
                self._choice(choice, deltas)
                if choice.error and says(choice.error):
                    self._fail(choice.error)
        if chunk.finish_reason is not None:
            self._stop(chunk.finish_reason)
        if chunk.usage is not None:
            self._count(chunk.usage, deltas)
        if chunk.error and says(chunk.error):
            self._fail(chunk.error)

    def _choice(self, choice: WireChoice, deltas: list[Delta]) -> None:
        if choice.finish_reason is not None:
            self._stop(choice.finish_reason)
        if choice.usage is not None:
            self._count(choice.usage, deltas)
        if choice.delta is not None:
            self._delta(choice.delta, deltas)
            self._whole = choice.message or self._whole
        elif choice.text:
            self._say(choice.text, deltas)
        else:
            self._whole = choice.message or self._whole
            self._say_whole(deltas)

    def _stop(self, reason: str) -> None:
        self._reason = worse(self._reason, read_reason(reason))

    def _count(self, said: Any, deltas: list[Delta]) -> None:
        if (counts := self._usage.read(said)) is not None:
            deltas.append(Counted(counts))

    def _say_whole(self, deltas: list[Delta]) -> None:
        """Take a whole message if no delta has brought anything."""
        whole, self._whole = self._whole, None
        if whole is not None and not (self._text.size or self._joiner.held or self._calls):
            self._delta(whole, deltas)

    def _delta(self, delta: WireDelta, deltas: list[Delta]) -> None:
        for field in THINKING_FIELDS:  # one thought, also where it comes under several names
            if thought := getattr(delta, field):
                self._think(thought, field, deltas)
                break
        else:
            if delta.reasoning_details and (thought := text_of(delta.reasoning_details)):
                self._think(thought, "thinking", deltas)
        if delta.content:
            self._say(delta.content, deltas)
        if delta.refusal:
            self._refused = True
            self._say(delta.refusal, deltas)
        for place, fragment in enumerate(delta.tool_calls or ()):
            self._fragment(fragment, deltas, beside=place > 0)
        if delta.function_call is not None:
            self._fragment(WireCall(index=0, function=delta.function_call), deltas)
        if delta.finish_reason is not None:
            self._stop(delta.finish_reason)

    def _say(self, piece: str, deltas: list[Delta]) -> None:
        if text := self._joiner.join(piece):
            self._text.add(text)
            deltas.append(TextDelta([text]))
        self._writing = not self._joiner.held

    def _think(self, piece: str, field: str, deltas: list[Delta]) -> None:
        self._thinking_field = field
        if thought := self._thinking_joiner.join(piece):
            self._thinking.add(thought)
            deltas.append(ThinkingDelta(thought))

    def _fragment(self, fragment: WireCall, deltas: list[Delta], beside: bool = False) -> None:
        """Take a fragment of a call. `beside`: another call comes before it in this message."""
        function = fragment.function or WireFunction(fragment.name, fragment.arguments)
        said = function.arguments or ""
        whole = beside and fragment.index is None and function.name
        call = None if whole else self._continued(fragment, function)
        if call is not None:
            if arguments := call.add(said):
                deltas.append(ToolDelta(call.number, arguments))
        elif function.name:
            if len(self._calls) == MAX_BLOCKS:
                raise msgspec.ValidationError("too many tool calls")
            call = Call(fragment.index, fragment.id, function.name, self._calls)
            self._calls.append(call)
            deltas.append(ToolDelta(call.number, call.add(said), id=call.id, name=call.name))
        elif said.strip():
            raise msgspec.ValidationError("a tool call without a name")
        else:
            return  # it says nothing
        if fragment.extra_content:
            call.extra |= fragment.extra_content
            deltas.append(Hidden(len(msgspec.json.encode(fragment.extra_content))))

    def _continued(self, fragment: WireCall, function: WireFunction) -> Call | None:
        """The call that a fragment goes on with, or None if it begins one.

        Calls of Google have no index, and some servers give all of them the same: a new id is a
        new call, whatever the index."""
        calls = self._calls
        if fragment.index is not None:
            calls = [call for call in calls if call.index == fragment.index]
        if fragment.id:
            known = [call for call in calls if call.given_id == fragment.id]
            calls = known or ([] if function.name else calls)  # an id alone begins nothing
        elif fragment.index is None and function.name:
            return None
        return calls[-1] if calls else None

    def _finish(self, deltas: list[Delta]) -> None:
        reason = self._reason
        if reason is None or reason == BROKEN_OFF:
            self._break_off()
            return
        self._say_whole(deltas)
        if held := self._thinking_joiner.end():
            self._think(held, self._thinking_field, deltas)
        if held := self._joiner.end():
            self._say(held, deltas)
        stop, blocks = reason, []
        if reason not in CUT:
            stop = "refusal" if self._refused else "end_turn" if reason in USUAL else reason
            if self._calls:
                uses = [call.use() for call in self._calls]
                deltas += uses
                stop, blocks = "tool_use", self._blocks(uses)
        deltas.append(Finished(stop, blocks))
        self.done = True

    def _blocks(self, uses: list[ToolRequest]) -> list[dict[str, Any]]:
        """The turn in the blocks that `wire.encode_assistant` takes."""
        blocks: list[dict[str, Any]] = []
        if thinking := str(self._thinking):
            field = self._thinking_field if self._thinking_field != "thinking" else ""
            blocks.append({"type": "thinking", "thinking": thinking, "field": field})
        if text := str(self._text):
            blocks.append({"type": "text", "text": text})
        for call, use in zip(self._calls, uses, strict=True):
            block = {"type": "tool_use", "id": use.id, "name": use.name, "input": use.args}
            blocks.append(block | {"extra_content": call.extra} if call.extra else block)
        return blocks

    def _break_off(self) -> None:
        """Take a remark for the error if the answer has nothing else."""
        if self._remark is not None and not self._answering:
            self._fail(self._remark)
            return
        words = read_complaint(self._remark).words()
        why = without(self._secret, f"an answer without a finish reason. {words}".strip())
        self.failure = fault("upstream_truncated", why)

    def _fail(self, said: Any) -> None:
        self.complaint = said
        self.failure = refused(read_complaint(said), secret=self._secret)
