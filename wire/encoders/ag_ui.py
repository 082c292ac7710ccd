"""The encoder of AG-UI 1.0: `data: {event}` for each.

https://docs.ag-ui.com/concepts/events, with the types of `@ag-ui/core` 1.0.0, read on
2026-11-30."""

from typing import Any

import msgspec

from engine.events import WAITING, Batch, Pending, RunWaiting, Source, Usage, decode
from engine.transcript import Problem
from wire.encoders.parts import Ending, Kind, Parts
from wire.frames import Snapshot
from wire.parse import dumps
from wire.selection import Selection

APPROVAL = {
    "type": "object",
    "properties": {"approve": {"type": "boolean"}, "reason": {"type": "string"}},
    "required": ["approve"],
}
"""The JSON Schema of the answer to an approval; `args` beside it where it may change them."""


class AgUiEvents(Parts):
    """One run of AG-UI: from the event of ours after position `after` until our run ends, or waits
    for the client. The client knows the earlier part from the AG-UI run before it."""

    __slots__ = ("_after", "_head", "_message_id", "_names", "_pending", "_state")

    def __init__(
        self,
        selection: Selection,
        run_id: str | None,
        *,
        thread_id: str = "",
        name: str = "",
        message_id: str = "",
        state: dict[str, Any] | None = None,
        after: int = 0,
    ) -> None:
        super().__init__(selection, run_id)
        self._names = {"threadId": thread_id, "runId": name or (run_id or "")}
        self._message_id = message_id or (run_id or "")
        self._state, self._after = {**(state or {})}, after
        self._pending: list[str] = []
        self._head = b""
        """A piece of the open part up to its content."""

    @property
    def over(self) -> bool:
        """Whether nothing follows."""
        return self._ended

    def events(self, batch: Batch) -> list[bytes]:
        """See `Encoder.events`. A wait of the run ends a part of the batch."""
        types, lines, last = batch
        first = last - len(lines)
        if WAITING not in types and first >= self._after:
            return super().events(batch)  # on every token's way
        begin, writes = 0, list[bytes]()
        ends = {at for at, type_ in enumerate(types, 1) if type_ == WAITING}
        if 0 < self._after - first < len(lines):
            ends.add(self._after - first)
        for end in sorted(ends | {len(lines)}):
            part = types[begin:end], lines[begin:end], first + end
            told = super().events(part)
            if types[end - 1] == WAITING and not self._ended:
                told += self._wait(lines[end - 1], first + end)
            if first + end > self._after:
                writes += told
            begin = end
        return writes

    def snapshot(self, snapshot: Snapshot) -> list[bytes]:
        """See `Encoder.snapshot`."""
        writes = super().snapshot(snapshot)
        if snapshot.status == "waiting" and not self._ended:
            writes += self._interrupt(snapshot.pending)
        return writes

    def begin(self) -> list[bytes]:
        """See `Parts.begin`."""
        return [_event("RUN_STARTED", **self._names, protocolVersion="1.0")]

    def start(self, kind: Kind) -> list[bytes]:
        """See `Parts.start`."""
        name = self._part_id()
        message = "TEXT_MESSAGE" if kind == "text" else "REASONING_MESSAGE"
        head = b'data: {"type":"%b_CONTENT","messageId":%b,"delta":'
        self._head = head % (message.encode(), dumps(name))
        if kind == "text":
            return [_event("TEXT_MESSAGE_START", messageId=name, role="assistant")]
        return [
            _event("REASONING_START", messageId=name),
            _event("REASONING_MESSAGE_START", messageId=name, role="reasoning"),
        ]

    def piece(self, kind: Kind, content: str) -> bytes:
        """See `Parts.piece`."""
        return b"%b%b}\n\n" % (self._head, dumps(content))

    def stop(self, kind: Kind) -> list[bytes]:
        """See `Parts.stop`."""
        name = self._part_id()
        if kind == "text":
            return [_event("TEXT_MESSAGE_END", messageId=name)]
        return [
            _event("REASONING_MESSAGE_END", messageId=name),
            _event("REASONING_END", messageId=name),
        ]

    def call(self, id: str, tool: str, args: dict[str, Any], client: bool) -> list[bytes]:
        """See `Parts.call`."""
        if client:
            self._pending.append(id)
        return [
            _event("TOOL_CALL_START", toolCallId=id, toolCallName=tool),
            _event("TOOL_CALL_ARGS", toolCallId=id, delta=dumps(args).decode()),
            _event("TOOL_CALL_END", toolCallId=id),
        ]

    def result(self, id: str, result: Any, failed: bool) -> list[bytes]:
        """See `Parts.result`. A failure is said in words, as to the model."""
        if id in self._pending:
            self._pending.remove(id)
        content = result if isinstance(result, str) else dumps(result).decode()
        said = {"messageId": f"{id}_result", "toolCallId": id, "content": content}
        return [_event("TOOL_CALL_RESULT", **said, role="tool")]

    def status(self, message: str, stage: str) -> list[bytes]:
        """A field of the state."""
        return self._changed(status={"message": message, "stage": stage})

    def sources(self, found: list[Source]) -> list[bytes]:
        """A field of the state, with those of before."""
        known = self._state.get("sources")
        before = known if isinstance(known, list) else []
        return self._changed(sources=[*before, *msgspec.to_builtins(found)])

    def approval(self, fields: dict[str, Any]) -> list[bytes]:
        """Nothing: the run waits, and its end says so."""
        return []

    def question(self, fields: dict[str, Any]) -> list[bytes]:
        """Nothing: the run waits, and its end says so."""
        return []

    def finish(self, ending: Ending) -> list[bytes]:
        """See `Parts.finish`."""
        usage = _usage(ending.usage)
        if ending.problem is not None:
            return [_event("RUN_ERROR", **_problem(ending.problem), **usage)]
        if ending.stop_reason == "cancelled":
            outcome: dict[str, Any] = {"type": "cancelled"}
        else:
            outcome = {"type": "success"}
            if self._pending:
                outcome["pendingToolCallIds"] = self._pending
        return [_event("RUN_FINISHED", **self._names, outcome=outcome, **usage)]

    def _wait(self, data: bytes, seq: int) -> list[bytes]:
        writes = self._close()
        waiting = decode(data)
        if seq > self._after and isinstance(waiting, RunWaiting):
            writes += self._interrupt(self._selection.visibility.pending(waiting.pending))
        return writes

    def _interrupt(self, pending: list[Pending]) -> list[bytes]:
        """The end of a run that waits for this client; what waits for somebody else goes on by
        itself."""
        asked = [_interrupt(call) for call in pending if call.kind != "client_tool"]
        if not asked:
            return []
        self._ended = True
        outcome = {"type": "interrupt", "interrupts": asked}
        return [*self._close(), _event("RUN_FINISHED", **self._names, outcome=outcome)]

    def _changed(self, **fields: Any) -> list[bytes]:
        self._state |= fields
        return [_event("STATE_SNAPSHOT", snapshot=self._state)]

    def _part_id(self) -> str:
        """The id of the message that is open or begins: the first has that of ours."""
        return f"{self._message_id}_{self._count}" if self._count else self._message_id


def _interrupt(call: Pending) -> dict[str, Any]:
    said: dict[str, Any] = {"id": call.id, "toolCallId": call.id}
    if call.kind == "approval":
        said |= {
            "reason": "approval",
            "message": f"May the agent use “{call.tool}”?",
            "responseSchema": APPROVAL,
            "metadata": {"tool": call.tool, "args": call.args, "editable": call.editable},
        }
    else:
        schema = call.schema or {"type": "string"}
        said |= {"reason": "question", "message": call.text, "responseSchema": schema}
        if call.choices:
            said["responseSchema"] = {"enum": call.choices}
    if call.expires_at is not None:
        said["expiresAt"] = call.expires_at
    return said


def _problem(problem: Problem) -> dict[str, str]:
    return {"message": problem.message, "code": problem.code}


def _usage(usage: Usage | None) -> dict[str, Any]:
    if usage is None:
        return {}
    said = {
        "model": usage.model,
        "inputTokens": usage.input_tokens,
        "outputTokens": usage.output_tokens,
        "totalTokens": usage.total_tokens,
        "reasoningTokens": usage.reasoning_tokens,
        "cachedInputTokens": usage.cache_read_tokens,
        "cacheWriteInputTokens": usage.cache_write_tokens,
    }
    return {"usage": [said]}


def _event(type_: str, **fields: Any) -> bytes:
    return b"data: %b\n\n" % msgspec.json.encode({"type": type_, **fields})
