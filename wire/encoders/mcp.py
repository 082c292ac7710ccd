"""The encoder of a call of an agent as a tool of MCP: progress notifications, then the result.

https://modelcontextprotocol.io/specification/2025-11-25/basic/transports and 2026-07-28, with the
types of `mcp` 2.3.0, read on 2026-11-30."""

import json
from typing import Any, ClassVar

import msgspec

from engine.errors import ClawError
from engine.events import Batch
from engine.transcript import Problem
from wire.encoders.completions import KEEPALIVE, OUTCOMES, UNFINISHED
from wire.facade.openai import stopped
from wire.frames import Snapshot
from wire.native import OnDisconnect
from wire.selection import Selection

GROWTH = 8
"""A progress notification carries the whole text so far, so one comes when the text has grown by
this part of itself: all of them together are a few times as long as the answer."""

MAX_PROGRESS = 100_000
"""Characters of a text that progress carries: clients bound an event, and nobody reads so much as
it comes."""


class _Piece(msgspec.Struct):
    content: str


_piece = msgspec.json.Decoder(_Piece)


class McpCall:
    """A client of MCP waits for one answer and cannot come back to it, so the run ends with its
    connection. `token` is what its notifications name; without one none come."""

    __slots__ = (
        *("_conversation_id", "_ended", "_id", "_modern", "_outcome", "_run_id"),
        *("_selection", "_shown", "_size", "_texts", "_token"),
    )

    on_disconnect: ClassVar[OnDisconnect | None] = "cancel"
    waits: ClassVar[bool] = False

    def __init__(
        self,
        selection: Selection,
        run_id: str | None,
        *,
        id: str | int = 0,
        token: str | int | None = None,
        conversation_id: str = "",
        modern: bool = False,
    ) -> None:
        self._selection, self._run_id = selection, run_id
        self._id, self._token, self._modern = id, token, modern
        self._conversation_id = conversation_id
        self._texts: list[str] = []
        self._size = self._shown = 0
        self._outcome: dict[str, Any] = {}
        self._ended = False

    def opening(self, after: int = 0) -> list[bytes]:
        """A comment: the call is being carried out."""
        return [KEEPALIVE]

    def events(self, batch: Batch) -> list[bytes]:
        """See `Encoder.events`."""
        writes: list[bytes] = []
        for _, type_, data in self._selection.select(batch):
            if type_ == "token":
                writes += self._text(_piece.decode(data).content)
            elif type_ in OUTCOMES:
                self._outcome = msgspec.json.decode(data)
            elif type_ == "done" and not self._ended:  # who leaves then cancels nothing
                writes += self._end(_problem_of(self._outcome))
        return writes

    def snapshot(self, snapshot: Snapshot) -> list[bytes]:
        """The text so far, in place of what was told."""
        message = self._selection.visibility.snapshot(snapshot).message
        rest = message.content[self._size :]
        writes = self._text(rest) if rest else []
        if message.status in UNFINISHED or self._ended:
            return writes
        problem = stopped() if message.status == "cancelled" else _error(message.error)
        return writes + self._end(problem)

    def keepalive(self) -> list[bytes]:
        """A comment."""
        return [KEEPALIVE]

    def close(self, error: ClawError | None = None) -> list[bytes]:
        """The error as the result, if the client still waits for one."""
        if self._ended:
            return []
        broken = ClawError("run_interrupted", "The answer was cut before its end.")
        return self._end(error or broken)

    def _text(self, content: str) -> list[bytes]:
        self._texts.append(content)
        self._size += len(content)
        grown = self._size - self._shown >= max(1, self._shown // GROWTH)
        if self._token is None or not grown or self._size > MAX_PROGRESS:
            return []
        self._shown = self._size
        self._texts = ["".join(self._texts)]
        progress = {
            "progressToken": self._token,
            "progress": self._size,
            "message": self._texts[0],
        }
        return [_message(method="notifications/progress", params=progress)]

    def _end(self, problem: ClawError | None) -> list[bytes]:
        self._ended = True
        text = "".join(self._texts)
        result = told(self._run_id, self._conversation_id, text, problem)
        if self._modern:
            result["resultType"] = "complete"
        return [_message(id=self._id, result=result)]


def told(
    run_id: str | None, conversation_id: str, text: str, problem: ClawError | None
) -> dict[str, Any]:
    """The result of a call: the answer or, behind what there is of it, the problem as a sentence
    for the model that has called."""
    structured = {"message": text, "conversationId": conversation_id}
    texts = [text] if text or problem is None else []
    if problem is not None:
        structured |= {"runId": run_id or "", "code": problem.code}
        texts.append(problem.message)
    return {
        "content": [{"type": "text", "text": each} for each in texts],
        "structuredContent": structured,
        "isError": problem is not None,
    }


def _problem_of(outcome: dict[str, Any]) -> ClawError | None:
    match outcome.get("type"):
        case "error":
            return ClawError(outcome["code"], outcome["message"])
        case "cancelled":
            return stopped()
    return None


def _error(problem: Problem | None) -> ClawError | None:
    return None if problem is None else ClawError(problem.code, problem.message)


def _message(**fields: Any) -> bytes:
    """A message as ASCII: some clients take U+2028 for the end of a line."""
    data = json.dumps({"jsonrpc": "2.0", **fields}, separators=(",", ":"))
    return b"event: message\ndata: %b\n\n" % data.encode()
