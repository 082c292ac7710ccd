"""The simple dialects: a run as short texts and small objects, for clients of a few lines.

They say the text, what the agent does, errors and the end; docs/simple.md has examples.
"""

from typing import Any, ClassVar

import msgspec

from engine.errors import ClawError
from engine.events import Batch
from wire import sse
from wire.frames import Snapshot
from wire.native import OnDisconnect
from wire.parse import dumps
from wire.selection import Selection

SPOKEN = frozenset(
    {"token", "thinking", "status", "tool_call", "tool_result", "question", "error", "done"}
)
LOST = "The beginning of the answer is no longer kept: read the conversation."


class Simple:
    """Base of the dialects. Each says how a text, an error and the end look; one that says nothing
    about thoughts and statuses leaves them out."""

    __slots__ = ("_ended", "_selection", "_told")

    on_disconnect: ClassVar[OnDisconnect | None] = None
    waits: ClassVar[bool] = True

    def __init__(self, selection: Selection, run_id: str | None) -> None:
        self._selection, self._ended = selection, False
        self._told: int | None = 0
        """Characters of the answer that the client has; None if an earlier stream told them."""

    def opening(self, after: int = 0) -> list[bytes]:
        """Nothing, unless the dialect has a frame for it."""
        self._told = None if after else 0
        return []

    def events(self, batch: Batch) -> list[bytes]:
        """See `Encoder.events`."""
        return [
            self.framed(piece, seq)
            for seq, type_, data in self._selection.select(batch)
            if type_ in SPOKEN
            for piece in self._said(type_, msgspec.json.decode(data))
        ]

    def snapshot(self, snapshot: Snapshot) -> list[bytes]:
        """The rest of the text: what a client has cannot be taken back."""
        message = self._selection.visibility.snapshot(snapshot).message
        if self._told is None:
            pieces = [self.error(LOST), *self._end()]
        else:
            rest = message.content[self._told :]
            pieces = self._text(rest) if rest else []
            for call in snapshot.pending:
                if call.kind == "question":
                    pieces += self.question(msgspec.to_builtins(call))
            if message.error is not None:
                pieces.append(self.error(message.error.message))
            if message.status not in ("queued", "streaming", "waiting"):
                pieces += self._end()
        return [self.framed(piece, snapshot.last_seq) for piece in pieces]

    def keepalive(self) -> list[bytes]:
        """Nothing: such a client shows all that it gets."""
        return []

    def close(self, error: ClawError | None = None) -> list[bytes]:
        """The error and the end, if the client still waits for the end."""
        if error is None or self._ended:
            return []
        return [self.error(error.message), *self._end()]

    def framed(self, piece: bytes, seq: int) -> bytes:
        """A piece as it is written; `seq` is the event that it came with."""
        return piece

    def text(self, content: str) -> bytes:
        """A piece of the answer."""
        raise NotImplementedError

    def thought(self, kind: str, content: str) -> list[bytes]:
        """A thought (`thinking`), a call (`action`) or its result (`observation`)."""
        return []

    def status(self, message: str) -> list[bytes]:
        """The present activity of the agent."""
        return []

    def question(self, question: Any) -> list[bytes]:
        """A question of the agent, as the event or the snapshot has it. Here it is told as the rest
        of the answer, since the client's next text is the answer to it."""
        return [self.text(_asked(question)), self.done()]

    def error(self, message: str) -> bytes:
        """The error that ended the answer."""
        raise NotImplementedError

    def done(self) -> bytes:
        """The end of the answer."""
        raise NotImplementedError

    def _said(self, type_: str, event: Any) -> list[bytes]:
        """The pieces that the dialect has for an event."""
        match type_:
            case "token":
                return self._text(event["content"])
            case "thinking":
                return self.thought("thinking", event["content"])
            case "status":
                return self.status(event["message"])
            case "tool_call":
                return self.thought("action", f"{event['tool']}: {_plain(event['args'])}")
            case "tool_result":
                return self.thought("observation", _plain(event["result"]))
            case "question":
                return self.question(event)
            case "error":
                return [self.error(event["message"])]
            case _:
                return self._end()

    def _text(self, content: str) -> list[bytes]:
        if self._told is not None:
            self._told += len(content)
        return [self.text(content)]

    def _end(self) -> list[bytes]:
        """The end, once."""
        ended, self._ended = self._ended, True
        return [] if ended else [self.done()]


class Texts(Simple):
    """`/ws/agent`: the pieces of the answer as they are, then `[DONE]`."""

    __slots__ = ()

    def text(self, content: str) -> bytes:
        return content.encode()

    def error(self, message: str) -> bytes:
        return b"[ERROR] %b" % message.encode()

    def done(self) -> bytes:
        return b"[DONE]"


class Chunks(Simple):
    """`/ws/chat`: `{type: "chunk", content}`, then `{type: "done"}`."""

    __slots__ = ()

    def text(self, content: str) -> bytes:
        return dumps({"type": "chunk", "content": content})

    def error(self, message: str) -> bytes:
        return dumps({"type": "error", "message": message})

    def done(self) -> bytes:
        return dumps({"type": "done"})


class Thoughts(Chunks):
    """`/ws/agent-thoughts`: what the agent thinks, does and sees, and its `answer`."""

    __slots__ = ()

    def text(self, content: str) -> bytes:
        return dumps({"type": "answer", "content": content})

    def thought(self, kind: str, content: str) -> list[bytes]:
        return [dumps({"type": kind, "content": content})]

    def status(self, message: str) -> list[bytes]:
        return self.thought("thinking", message)


class SimpleSse(Simple):
    """`?format=simple`: `{content}`, then `{done: true}`. Each has its position as id."""

    __slots__ = ("_run_id",)

    def __init__(self, selection: Selection, run_id: str | None) -> None:
        super().__init__(selection, run_id)
        self._run_id = run_id

    def opening(self, after: int = 0) -> list[bytes]:
        super().opening(after)
        return [sse.opening(self._run_id, after) if self._run_id else sse.OPENING]

    def keepalive(self) -> list[bytes]:
        """A comment."""
        return [sse.KEEPALIVE]

    def close(self, error: ClawError | None = None) -> list[bytes]:
        """Nothing: the client resumes a stream that is cut, or is told why not."""
        return []

    def framed(self, piece: bytes, seq: int) -> bytes:
        return sse.FRAME % ((self._run_id or "").encode(), seq, piece)

    def text(self, content: str) -> bytes:
        return dumps({"content": content})

    def status(self, message: str) -> list[bytes]:
        return [dumps({"type": "status", "message": message})]

    def question(self, question: Any) -> list[bytes]:
        """As it is: the stream goes on once it was answered, with another request."""
        asked = {name: question[name] for name in ("id", "text", "choices") if name in question}
        return [dumps({"type": "question", **asked})]

    def error(self, message: str) -> bytes:
        return dumps({"type": "error", "error": message})

    def done(self) -> bytes:
        return dumps({"done": True})


class ContentSse(SimpleSse):
    """`?format=content`: `{type: "content", text}`, then `{type: "done"}`."""

    __slots__ = ()

    def text(self, content: str) -> bytes:
        return dumps({"type": "content", "text": content})

    def done(self) -> bytes:
        return dumps({"type": "done"})


def _asked(question: Any) -> str:
    """The question with its choices, a line each."""
    lines = [question["text"], *(f"- {choice}" for choice in question.get("choices") or ())]
    return "\n".join(lines)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
