"""The encoder of the AI SDK's UI message stream v1: `data: {chunk}` for each, then `[DONE]`.

https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol, with the schemas of `ai` 5.0.277, 6.0.325 and
7.0.173, read on 2026-11-30. Only chunks come that all three accept."""

from typing import Any

import msgspec

from engine.events import Source
from wire.encoders.completions import DONE
from wire.encoders.parts import Ending, Kind, Parts
from wire.parse import dumps
from wire.selection import Selection

FINISH = {
    "max_tokens": "length",
    "context_window_exceeded": "length",
    "refusal": "content-filter",
    "tool_use": "tool-calls",
}
"""The `finishReason` of our stop reasons; that of all others is `stop`."""


class UiMessageChunks(Parts):
    """A client may leave and come back: it then reads all again, under the same `message_id`. The
    agent's own tools come as dynamic ones that the server carries out, the client's as the
    client's."""

    __slots__ = ("_metadata", "_name", "_run_id")

    def __init__(
        self,
        selection: Selection,
        run_id: str | None,
        *,
        message_id: str = "",
        conversation_id: str = "",
    ) -> None:
        super().__init__(selection, run_id)
        self._name = message_id or (run_id or "")
        self._metadata = {"runId": run_id, "conversationId": conversation_id}
        self._run_id = run_id

    def begin(self) -> list[bytes]:
        """The message and its only step."""
        said = {"messageId": self._name, "messageMetadata": self._metadata}
        return [_chunk("start", **said), _chunk("start-step")]

    def start(self, kind: Kind) -> list[bytes]:
        """See `Parts.start`."""
        return [_chunk(f"{kind}-start", id=str(self._count))]

    def piece(self, kind: Kind, content: str) -> bytes:
        """See `Parts.piece`."""
        return b'data: {"type":"%b-delta","id":"%d","delta":%b}\n\n' % (
            kind.encode(),
            self._count,
            dumps(content),
        )

    def stop(self, kind: Kind) -> list[bytes]:
        """See `Parts.stop`."""
        return [_chunk(f"{kind}-end", id=str(self._count))]

    def call(self, id: str, tool: str, args: dict[str, Any], client: bool) -> list[bytes]:
        """See `Parts.call`."""
        said = {"toolCallId": id, "toolName": tool, **self._owner(id)}
        return [
            _chunk("tool-input-start", **said),
            _chunk("tool-input-available", **said, input=args),
        ]

    def result(self, id: str, result: Any, failed: bool) -> list[bytes]:
        """See `Parts.result`."""
        said = {"toolCallId": id, **self._owner(id)}
        if failed:
            text = result if isinstance(result, str) else dumps(result).decode()
            return [_chunk("tool-output-error", **said, errorText=text)]
        return [_chunk("tool-output-available", **said, output=result)]

    def status(self, message: str, stage: str) -> list[bytes]:
        """One part of the message, which each status changes."""
        return [_chunk("data-status", id="status", data={"message": message, "stage": stage})]

    def sources(self, found: list[Source]) -> list[bytes]:
        """See `Parts.sources`."""
        return [_source(source) for source in found]

    def approval(self, fields: dict[str, Any]) -> list[bytes]:
        """One part for each call: its decision changes it."""
        data = {"runId": self._run_id, **fields}
        return [_chunk("data-approval", id=fields["id"], data=data)]

    def question(self, fields: dict[str, Any]) -> list[bytes]:
        """See `Parts.question`."""
        data = {"runId": self._run_id, **fields}
        return [_chunk("data-question", id=fields["id"], data=data)]

    def finish(self, ending: Ending) -> list[bytes]:
        """See `Parts.finish`."""
        if ending.problem is not None:
            return [_chunk("error", errorText=ending.problem.message), DONE]
        if ending.stop_reason == "cancelled":
            return [_chunk("abort"), DONE]
        said: dict[str, Any] = {"finishReason": FINISH.get(ending.stop_reason or "", "stop")}
        if ending.usage is not None:
            said["messageMetadata"] = {"usage": ending.usage}
        return [_chunk("finish-step"), _chunk("finish", **said), DONE]

    def _owner(self, id: str) -> dict[str, bool]:
        return {} if self._calls[id] else {"providerExecuted": True, "dynamic": True}


def _source(source: Source) -> bytes:
    name = f"{source.document_id}:{source.chunk_id}"
    if source.url is not None:
        return _chunk("source-url", sourceId=name, url=source.url, title=source.title)
    return _chunk("source-document", sourceId=name, mediaType="text/plain", title=source.title)


def _chunk(type_: str, **fields: Any) -> bytes:
    return b"data: %b\n\n" % msgspec.json.encode({"type": type_, **fields})
