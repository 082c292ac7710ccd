"""The base of encoders whose protocol tells an answer in parts: texts, thoughts, tool calls.

It keeps what is open and what has been told; a protocol says how each thing looks."""

from typing import Any, ClassVar, Literal, TypeAlias

import msgspec

from engine.errors import ClawError
from engine.events import Batch, Pending, Source, Usage
from engine.transcript import Problem, ToolUse
from wire.encoders.completions import KEEPALIVE, OUTCOMES, UNFINISHED
from wire.frames import Snapshot
from wire.native import OnDisconnect
from wire.selection import Selection

Kind: TypeAlias = Literal["text", "reasoning"]


class _Piece(msgspec.Struct):
    content: str


_piece = msgspec.json.Decoder(_Piece)


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a run: with a `problem`, or for a `stop_reason`."""

    stop_reason: str | None = None
    problem: Problem | None = None
    usage: Usage | None = None


class Parts:
    """One run. At most one part is open, and it is closed before anything else is said; nothing
    follows the end."""

    __slots__ = (
        *("_approvals", "_calls", "_count", "_ended", "_kind", "_outcome", "_results"),
        *("_selection", "_sources", "_told"),
    )

    on_disconnect: ClassVar[OnDisconnect | None] = "continue"
    waits: ClassVar[bool] = True

    def __init__(self, selection: Selection, run_id: str | None) -> None:
        self._selection = selection
        self._kind: Kind | None = None
        self._count, self._told, self._ended = 0, 0, False
        self._calls: dict[str, bool] = {}
        """The calls that were told, and whether the client carries them out."""
        self._results: set[str] = set()
        self._sources: set[tuple[str, int]] = set()
        self._approvals: dict[str, dict[str, Any]] = {}
        self._outcome: dict[str, Any] = {}

    def opening(self, after: int = 0) -> list[bytes]:
        """See `Encoder.opening`. Everything is told from the first event on."""
        return self.begin()

    def events(self, batch: Batch) -> list[bytes]:
        """See `Encoder.events`."""
        writes: list[bytes] = []
        for _, type_, data in self._selection.select(batch):
            if self._ended:
                break
            if type_ == "token":
                content = _piece.decode(data).content
                if self._kind == "text":  # on every token's way
                    self._told += len(content)
                    writes.append(self.piece("text", content))
                else:
                    writes += self._text(content)
            elif type_ == "thinking":
                writes += self._part("reasoning", _piece.decode(data).content)
            elif type_ in OUTCOMES:
                self._outcome = msgspec.json.decode(data)
            elif type_ == "done":
                writes += self._end(_ending(self._outcome))
            else:
                writes += self._said(type_, data)
        return writes

    def snapshot(self, snapshot: Snapshot) -> list[bytes]:
        """The part of the run that was not sent yet: what a client has cannot be taken back."""
        if self._ended:
            return []
        seen = self._selection.visibility.snapshot(snapshot)
        message = seen.message
        writes = self._found(message.sources)
        for tool in message.tools:
            writes += self._called(tool)
            if tool.ended:
                writes += self._returned(tool.id, tool.result, tool.is_error is True)
        if rest := message.content[self._told :]:
            writes += self._text(rest)
        for call in seen.pending:
            writes += self._asked(call)
        if message.status not in UNFINISHED:
            ending = Ending(
                stop_reason=message.stop_reason, problem=message.error, usage=message.usage
            )
            writes += self._end(ending)
        return writes

    def keepalive(self) -> list[bytes]:
        """A comment."""
        return [KEEPALIVE]

    def close(self, error: ClawError | None = None) -> list[bytes]:
        """The error and the end, if the client still waits for the end."""
        if self._ended:
            return []
        told = error or ClawError("run_interrupted", "The answer was cut before its end.")
        problem = Problem(code=told.code, message=told.message, retryable=True)
        return self._end(Ending(problem=problem))

    # The pieces of a protocol.

    def begin(self) -> list[bytes]:
        """The first bytes."""
        raise NotImplementedError

    def start(self, kind: Kind) -> list[bytes]:
        """A part begins; it is number `_count`."""
        raise NotImplementedError

    def piece(self, kind: Kind, content: str) -> bytes:
        """A piece of the part that is open."""
        raise NotImplementedError

    def stop(self, kind: Kind) -> list[bytes]:
        """The part ends."""
        raise NotImplementedError

    def call(self, id: str, tool: str, args: dict[str, Any], client: bool) -> list[bytes]:
        """A tool call; `client`: the client that asked carries it out."""
        raise NotImplementedError

    def result(self, id: str, result: Any, failed: bool) -> list[bytes]:
        """The result of a call that was told."""
        raise NotImplementedError

    def status(self, message: str, stage: str) -> list[bytes]:
        """The present activity of the agent."""
        raise NotImplementedError

    def sources(self, found: list[Source]) -> list[bytes]:
        """Passages that were not told before."""
        raise NotImplementedError

    def approval(self, fields: dict[str, Any]) -> list[bytes]:
        """A call that waits for approval or, with `approved`, waits no more."""
        raise NotImplementedError

    def question(self, fields: dict[str, Any]) -> list[bytes]:
        """A question of the agent."""
        raise NotImplementedError

    def finish(self, ending: Ending) -> list[bytes]:
        """The end. Nothing is open."""
        raise NotImplementedError

    # The parts that were sent, and those that are open.

    def _said(self, type_: str, data: bytes) -> list[bytes]:
        match type_:
            case "tool_call":
                return self._called(msgspec.json.decode(data, type=ToolUse))
            case "tool_result":
                event = msgspec.json.decode(data)
                return self._returned(event["id"], event["result"], event["isError"])
            case "status":
                event = msgspec.json.decode(data)
                return self.status(event["message"], event["stage"])
            case "sources":
                event = msgspec.json.decode(data)
                return self._found(msgspec.convert(event["sources"], list[Source]))
            case "approval_required":
                return self._waits(_fields(data))
            case "approval_decided":
                fields = _fields(data)
                return self.approval(self._approvals.get(fields["id"], {}) | fields)
            case "question":
                return [*self._close(), *self.question(_fields(data))]
        return []

    def _text(self, content: str) -> list[bytes]:
        self._told += len(content)
        return self._part("text", content)

    def _part(self, kind: Kind, content: str) -> list[bytes]:
        if self._kind == kind:
            return [self.piece(kind, content)]
        writes = [*self._close(), *self.start(kind), self.piece(kind, content)]
        self._kind = kind
        return writes

    def _close(self) -> list[bytes]:
        if self._kind is None:
            return []
        writes = self.stop(self._kind)
        self._kind = None
        self._count += 1
        return writes

    def _called(self, tool: ToolUse) -> list[bytes]:
        if tool.id in self._calls:
            return []
        self._calls[tool.id] = client = tool.client is True
        return [*self._close(), *self.call(tool.id, tool.tool, tool.args, client)]

    def _returned(self, id: str, result: Any, failed: bool) -> list[bytes]:
        if id not in self._calls or id in self._results:
            return []
        self._results.add(id)
        return [*self._close(), *self.result(id, result, failed)]

    def _found(self, found: list[Source]) -> list[bytes]:
        names = {(source.document_id, source.chunk_id): source for source in found}
        new = [source for name, source in names.items() if name not in self._sources]
        self._sources |= names.keys()
        return self.sources(new) if new else []

    def _waits(self, fields: dict[str, Any]) -> list[bytes]:
        self._approvals[fields["id"]] = fields
        return [*self._close(), *self.approval(fields)]

    def _asked(self, call: Pending) -> list[bytes]:
        """The decisions that a run waits for, in the form of its event."""
        fields = msgspec.to_builtins(call)
        kind = fields.pop("kind")
        if kind == "approval" and call.id not in self._approvals:
            return self._waits(fields)
        return [*self._close(), *self.question(fields)] if kind == "question" else []

    def _end(self, ending: Ending) -> list[bytes]:
        self._ended = True
        return [*self._close(), *self.finish(ending)]


def _fields(data: bytes) -> dict[str, Any]:
    """An event without its identity."""
    event: dict[str, Any] = msgspec.json.decode(data)
    for name in ("type", "runId", "conversationId", "messageId", "seq"):
        event.pop(name, None)
    return event


def _ending(outcome: dict[str, Any]) -> Ending:
    """The ending that an outcome tells."""
    problem = msgspec.convert(outcome, Problem) if outcome.get("type") == "error" else None
    usage = msgspec.convert(outcome["usage"], Usage) if "usage" in outcome else None
    return Ending(stop_reason=outcome.get("stopReason"), problem=problem, usage=usage)
