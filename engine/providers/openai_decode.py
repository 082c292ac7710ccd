"""An answer of Chat Completions, from bytes to deltas, without any I/O."""

from typing import Any

import msgspec

from engine.ids import new_id
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
from engine.providers.faults import STREAM_ERRORS, fault, status_fault, stream_fault, without
from engine.providers.openai_wire import (
    WireCall,
    WireChoice,
    WireDelta,
    WireError,
    WireFunction,
    WireInput,
    WireOutput,
    WireText,
    WireUsage,
    decode_chunk,
)
from engine.text import Text
from engine.usage import TokenCounts

DONE = b"[DONE]"
STOP_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}
WHOLE = frozenset({"stop", "tool_calls", "function_call"})
"""Alike: Google and older Ollamas say `stop` for tool calls too, so the calls decide."""


class Call:
    """A tool call that is arriving; `number` counts the calls of the answer from 0."""

    __slots__ = ("arguments", "extra", "id", "index", "name", "number")

    def __init__(self, index: int | None, number: int, id: str | None, name: str) -> None:
        """`index` is the server's; a call that it gives no id gets one of ours."""
        self.index, self.number = index, number
        self.id, self.name = id or new_id("call"), name
        self.arguments = Text()
        self.extra: dict[str, Any] = {}

    def use(self) -> ToolUse:
        """Raises `msgspec.DecodeError` for arguments that are no JSON object."""
        text = str(self.arguments)
        return ToolUse(self.id, self.name, decode_arguments(text) if text.strip() else {})


class Decoder(StreamDecoder):
    """An answer of Chat Completions; `secret` is kept out of failures (servers repeat things)."""

    __slots__ = (
        "_calls",
        "_finish_reason",
        "_refused",
        "_secret",
        "_text",
        "_thinking",
        "_thinking_field",
    )

    plain = PlainText(b"data: ", WireText)

    def __init__(self, secret: str) -> None:
        super().__init__()
        self._secret = secret
        self._calls: list[Call] = []
        self._text, self._thinking = Text(), Text()
        self._thinking_field = ""
        self._refused = False
        self._finish_reason: str | None = None

    def end(self) -> list[Delta]:
        """Not every server sends `[DONE]`: what counts is whether it said why it stopped."""
        deltas: list[Delta] = []
        self._finish(deltas)
        return deltas

    def _more(self, events: list[WireText]) -> list[str]:
        pieces = [event.choices[0].delta.content for event in events]
        if "" in pieces:
            return []
        self._text.add("".join(pieces))
        return pieces

    def _event(self, name: bytes, body: bytes, deltas: list[Delta]) -> None:
        if body == DONE:
            self._finish(deltas)
            return
        chunk = decode_chunk(body)
        for choice in chunk.choices or ():
            self.progress = True
            if choice.index == 0:
                self._choice(choice, deltas)
        if chunk.usage is not None:
            self._count(chunk.usage, deltas)
        if chunk.error is not None:
            self._fail(chunk.error)

    def _choice(self, choice: WireChoice, deltas: list[Delta]) -> None:
        if choice.finish_reason is not None:
            self._finish_reason = choice.finish_reason
        delta = choice.delta
        if delta is None:
            return
        if delta.reasoning_content or delta.reasoning:
            self._think(delta, deltas)
        if text := delta.content or delta.refusal:
            self._text.add(text)
            deltas.append(TextDelta([text]))
            self._writing = True
        if delta.refusal:
            self._refused = True
        for fragment in delta.tool_calls or ():
            self._fragment(fragment, deltas)

    def _think(self, delta: WireDelta, deltas: list[Delta]) -> None:
        """One thought, also where a server sends it under both names."""
        field = "reasoning_content" if delta.reasoning_content else "reasoning"
        text = delta.reasoning_content or delta.reasoning or ""
        self._thinking_field = field
        self._thinking.add(text)
        deltas.append(ThinkingDelta(text))

    def _fragment(self, fragment: WireCall, deltas: list[Delta]) -> None:
        function = fragment.function or WireFunction()
        arguments = function.arguments or ""
        call = self._continued(fragment, function)
        if call is None:
            if not function.name:
                raise msgspec.ValidationError("a tool call without a name")
            call = Call(fragment.index, len(self._calls), fragment.id, function.name)
            self._calls.append(call)
            deltas.append(ToolDelta(call.number, arguments, id=call.id, name=call.name))
        elif arguments:
            deltas.append(ToolDelta(call.number, arguments))
        call.arguments.add(arguments)
        call.extra |= fragment.extra_content or {}

    def _continued(self, fragment: WireCall, function: WireFunction) -> Call | None:
        """The call that a fragment goes on with, or None if it begins one.

        Calls of Google have no index, and some servers give all of them the same: a new id is a
        new call, whatever the index."""
        if fragment.index is None:
            call = self._calls[-1] if self._calls else None
            begins = bool(function.name)
        else:
            of_index = [call for call in self._calls if call.index == fragment.index]
            call = of_index[-1] if of_index else None
            begins = False
        if call is None or (begins and not fragment.id):
            return None
        return call if not fragment.id or fragment.id == call.id else None

    def _count(self, usage: WireUsage, deltas: list[Delta]) -> None:
        """Google counts thinking in the total only: it is output, and paid as such."""
        given, said = usage.prompt_tokens, usage.completion_tokens
        output = said
        if given is not None and usage.total_tokens is not None:
            output = max(said or 0, usage.total_tokens - given)
        seen = usage.prompt_tokens_details or WireInput()
        unseen = usage.completion_tokens_details or WireOutput()
        counts = TokenCounts(
            input_tokens=given,
            output_tokens=output,
            cache_read_tokens=seen.cached_tokens or 0,
            reasoning_tokens=unseen.reasoning_tokens or (output or 0) - (said or 0),
        )
        deltas.append(Counted(counts))

    def _finish(self, deltas: list[Delta]) -> None:
        reason = self._finish_reason
        if reason is None:
            self.failure = fault("upstream_truncated", "an answer without a finish reason")
            return
        stop, blocks = STOP_REASONS.get(reason, reason), []
        if self._calls and reason in WHOLE:
            try:
                uses = [call.use() for call in self._calls]
            except msgspec.DecodeError:
                self.failure = fault("upstream_error", "a tool call that is not whole")
                return
            deltas += uses
            stop, blocks = "tool_use", self._blocks(uses)
        elif reason in WHOLE:
            stop = "refusal" if self._refused else "end_turn"
        deltas.append(Finished(stop, blocks))
        self.done = True

    def _blocks(self, uses: list[ToolUse]) -> list[dict[str, Any]]:
        """The turn as `openai_wire.encode_assistant` takes it."""
        blocks: list[dict[str, Any]] = []
        if thinking := str(self._thinking):
            field = self._thinking_field
            blocks.append({"type": "thinking", "thinking": thinking, "field": field})
        if text := str(self._text):
            blocks.append({"type": "text", "text": text})
        for call, use in zip(self._calls, uses, strict=True):
            block = {"type": "tool_use", "id": use.id, "name": use.name, "input": use.args}
            blocks.append(block | {"extra_content": call.extra} if call.extra else block)
        return blocks

    def _fail(self, error: WireError | str) -> None:
        if isinstance(error, str):
            error = WireError(message=error)
        reason = f"in the stream: {error.type} {error.code}: {error.message}"
        reason = without(self._secret, reason)
        if isinstance(error.code, int) and 400 <= error.code < 600:
            self.failure = status_fault(error.code, reason, None)
        else:
            kind = error.code if error.code in STREAM_ERRORS else error.type
            self.failure = stream_fault(str(kind), reason)
