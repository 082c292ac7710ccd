"""The encoder of OpenAI Responses: each event has a number, the same in every replay.

https://platform.openai.com/docs/api-reference/responses-streaming, read on 2026-11-30."""

from collections.abc import Iterable
from typing import ClassVar

from engine.errors import ClawError
from engine.events import Batch
from wire.encoders.completions import KEEPALIVE
from wire.facade.responses.objects import Response, response_id
from wire.facade.responses.output import Output, Said
from wire.frames import Snapshot
from wire.native import OnDisconnect
from wire.parse import dumps
from wire.selection import Selection

ERROR = b'event: error\ndata: {"type":"error","sequence_number":%d,%b}\n\n'
DELTA = (
    b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta",'
    b'"sequence_number":%d,%b,"content_index":0,"delta":%b,"logprobs":[]}\n\n'
)
FRAME = b'event: response.%b\ndata: {"type":"response.%b","sequence_number":%d,%b}\n\n'


class ResponseEvents:
    """Everything is told from the first event on, but for what the client has: the events up to
    number `known`."""

    __slots__ = ("_known", "_output", "_place", "_selection", "_sequence")

    on_disconnect: ClassVar[OnDisconnect | None] = "cancel"
    waits: ClassVar[bool] = False

    def __init__(
        self,
        selection: Selection,
        run_id: str | None,
        *,
        response: Response | None = None,
        known: int = -1,
    ) -> None:
        empty = Response(id=response_id(run_id or ""), created_at=0, status="in_progress", model="")
        self._selection, self._output = selection, Output(response or empty)
        self._sequence, self._known = -1, known
        self._place = b""
        """The fields that place a token in the message that is open, if the last event was one."""

    def opening(self, after: int = 0) -> list[bytes]:
        """The response, which has begun."""
        return self._told(self._output.begin())

    def events(self, batch: Batch) -> list[bytes]:
        """See `Encoder.events`."""
        writes: list[bytes] = []
        for _, type_, data in self._selection.select(batch):
            if type_ == "token" and self._place:
                writes += self._token(data)
                continue
            writes += self._told(self._output.add(type_, data))
            self._place = self._placed() if type_ == "token" else b""
        return writes

    def snapshot(self, snapshot: Snapshot) -> list[bytes]:
        """The rest of the text: what a client has cannot be taken back."""
        self._place = b""
        return self._told(self._output.show(self._selection.visibility.snapshot(snapshot).message))

    def keepalive(self) -> list[bytes]:
        """A comment."""
        return [KEEPALIVE]

    def close(self, error: ClawError | None = None) -> list[bytes]:
        """Says only that the run waits for somebody. Anything else that would be said has no
        number, and the client comes back for the rest."""
        if error is None or error.code != "decision_required":
            return []
        said = {"code": error.code, "message": error.message, "param": None}
        return [ERROR % (self._sequence + 1, dumps(said)[1:-1])]

    def _token(self, data: bytes) -> list[bytes]:
        """One more token of the message that is open: the same bytes as `_told` writes, cheaper."""
        content = self._output.go_on(data)
        self._sequence += 1
        if self._sequence <= self._known:
            return []
        return [DELTA % (self._sequence, self._place, dumps(content))]

    def _placed(self) -> bytes:
        """The fields that place a token in the message that is open."""
        place = {"item_id": self._output.writing, "output_index": self._output.place}
        return dumps(place)[1:-1]

    def _told(self, said: Iterable[Said]) -> list[bytes]:
        writes: list[bytes] = []
        for name, fields in said:
            self._sequence += 1
            if self._sequence > self._known:
                kind = name.encode()
                writes.append(FRAME % (kind, kind, self._sequence, dumps(fields)[1:-1]))
        return writes
