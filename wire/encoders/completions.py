"""The encoder of OpenAI Chat Completions: `data: {chunk}` for each piece, then `data: [DONE]`.

https://platform.openai.com/docs/api-reference/chat-streaming, read on 2026-11-30."""

from typing import Any, ClassVar

import msgspec

from engine.errors import ClawError
from engine.events import Batch, Usage
from wire.facade.completions import (
    CompletionUsage,
    FunctionCall,
    call_of,
    completion_id,
    finish_reason,
)
from wire.facade.errors import type_of
from wire.facade.openai import handed_over, stopped
from wire.frames import Snapshot
from wire.native import OnDisconnect
from wire.parse import dumps
from wire.selection import Selection

DONE = b"data: [DONE]\n\n"
# Some clients take an empty line for an event without data: the next event's lines follow.
KEEPALIVE = b": keepalive\n"
OUTCOMES = ("message_complete", "cancelled", "error")
UNFINISHED = ("queued", "streaming", "waiting")


class _Piece(msgspec.Struct):
    content: str


_piece = msgspec.json.Decoder(_Piece)


class CompletionChunks:
    """A client of Chat Completions reads one answer and cannot come back to it, so the run ends
    with its connection. The agent's use of its own tools is left out; calls of the client's
    tools end the answer."""

    __slots__ = (
        *("_before", "_calls", "_ended", "_head", "_outcome", "_selection", "_tail", "_told"),
        "_with_usage",
    )

    on_disconnect: ClassVar[OnDisconnect | None] = "cancel"
    waits: ClassVar[bool] = False

    def __init__(
        self,
        selection: Selection,
        run_id: str | None,
        *,
        model: str = "",
        created: int = 0,
        with_usage: bool = False,
    ) -> None:
        said = {
            "id": completion_id(run_id or ""),
            "object": "chat.completion.chunk",
            "created": created,
            "model": model,
        }
        self._head = b"data: %b," % dumps(said)[:-1]
        self._before = self._head + b'"choices":[{"index":0,"delta":'
        self._tail = b',"usage":null}\n\n' if with_usage else b"}\n\n"
        self._selection, self._with_usage = selection, with_usage
        self._told, self._calls, self._ended = 0, 0, False
        self._outcome: dict[str, Any] = {}

    def opening(self, after: int = 0) -> list[bytes]:
        """The first chunk says whose the answer is."""
        return [self._chunk(b'{"role":"assistant","content":""}')]

    def events(self, batch: Batch) -> list[bytes]:
        """See `Encoder.events`."""
        writes: list[bytes] = []
        for _, type_, data in self._selection.select(batch):
            if type_ == "token":
                writes.append(self._text(_piece.decode(data).content))
            elif type_ == "thinking":
                writes.append(self._thought(_piece.decode(data).content))
            elif type_ == "tool_call":
                writes += self._call(msgspec.json.decode(data))
            elif type_ in OUTCOMES:
                self._outcome = msgspec.json.decode(data)
            elif type_ == "done" and not self._ended:  # who leaves then cancels nothing
                writes += self._end(self._outcome)
        return writes

    def snapshot(self, snapshot: Snapshot) -> list[bytes]:
        """The rest of the text: what a client has cannot be taken back."""
        message = self._selection.visibility.snapshot(snapshot).message
        rest = message.content[self._told :]
        writes = [self._text(rest)] if rest else []
        for tool in handed_over(message)[self._calls :]:
            writes.append(self._called(call_of(tool.id, tool.tool, tool.args)))
        if message.error is not None:
            problem = ClawError(message.error.code, message.error.message)
            return writes + self._fail(problem)
        if message.status == "cancelled":
            return writes + self._fail(stopped())
        if message.status not in UNFINISHED:
            writes += self._finish(message.stop_reason, message.usage)
        return writes

    def keepalive(self) -> list[bytes]:
        """A comment."""
        return [KEEPALIVE]

    def close(self, error: ClawError | None = None) -> list[bytes]:
        """The error and the end, if the client still waits for the end."""
        broken = ClawError("run_interrupted", "The answer was cut before its end.")
        return self._fail(error or broken)

    def _text(self, content: str) -> bytes:
        self._told += len(content)
        return self._chunk(b'{"content":%b}' % dumps(content))

    def _call(self, event: dict[str, Any]) -> list[bytes]:
        """A call, if the client carries it out."""
        if not event.get("client"):
            return []
        return [self._called(call_of(event["id"], event["tool"], event["args"]))]

    def _called(self, call: FunctionCall) -> bytes:
        said = dumps({"index": self._calls, **msgspec.to_builtins(call)})
        self._calls += 1
        return self._chunk(b'{"tool_calls":[%b]}' % said)

    def _thought(self, content: str) -> bytes:
        return self._chunk(b'{"reasoning_content":%b}' % dumps(content))

    def _chunk(self, delta: bytes, finish: bytes = b"null") -> bytes:
        return b'%b%b,"logprobs":null,"finish_reason":%b}]%b' % (
            self._before,
            delta,
            finish,
            self._tail,
        )

    def _end(self, event: dict[str, Any]) -> list[bytes]:
        if event["type"] == "error":
            return self._fail(ClawError(event["code"], event["message"]))
        if event["type"] == "cancelled":
            return self._fail(stopped())
        usage = msgspec.convert(event["usage"], Usage) if "usage" in event else None
        return self._finish(event["stopReason"], usage)

    def _finish(self, stop_reason: str | None, usage: Usage | None) -> list[bytes]:
        """The last chunks, and the end."""
        if self._ended:
            return []
        self._ended = True
        ends_with_calls = self._calls and stop_reason == "tool_use"
        reason = "tool_calls" if ends_with_calls else finish_reason(stop_reason)
        writes = [self._chunk(b"{}", dumps(reason))]
        if self._with_usage and usage is not None:
            used = dumps(CompletionUsage.of(usage))
            writes.append(b'%b"choices":[],"usage":%b}\n\n' % (self._head, used))
        return [*writes, DONE]

    def _fail(self, error: ClawError) -> list[bytes]:
        """The error, and the end: no reason for it, since the answer is not whole."""
        if self._ended:
            return []
        self._ended = True
        said = {
            "message": error.message,
            "type": type_of(error),
            "param": None,
            "code": error.code,
        }
        return [b"data: %b\n\n" % dumps({"error": said}), DONE]
