"""HTTP that is read no faster than it is answered.

uvicorn parses all that has come at once, and reads on while requests wait for their turn: one
connection could hold the loop for seconds, and memory without end. Here a connection is parsed in
slices, and while one of its requests waits behind another nothing more of it is read."""

from typing import Any

import httptools
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from clawsite.server.refusals import LEAVE_SECONDS, refusal

SLICE = 4096  # bytes; the smallest request has 16, the smallest piece of a chunked body 6
MAX_PARTS_A_TURN = 512  # pieces of a body, at some 2 us each
TURN_SECONDS = 0.01  # until the next ones: a flood of tiny pieces takes a tenth of a core


class Refused(Exception):
    """A request that goes no further; its argument is the status."""


class Gate(FlowControl):
    """uvicorn's flow control, but nothing resumes the reading while it is shut."""

    shut = False

    def resume_reading(self) -> None:
        if not self.shut:
            super().resume_reading()


class Intake(HttpToolsProtocol):
    """Parses in slices; refuses in the envelope."""

    flow: Gate
    _held = b""  # what has come and is not parsed yet
    _parts = 0  # pieces of a body in this turn
    _refused = False  # whatever comes is dropped
    _last_word = b""  # the refusal that follows the answers to earlier requests
    _active: RequestResponseCycle | None = None  # the request that is being answered

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.flow = Gate(transport)

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if self._refused:
            return
        if self._held:
            self._held += data
            return
        self._parts = 0
        self._take(data)

    def on_body(self, body: bytes) -> None:
        self._parts += 1
        super().on_body(body)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.flow.shut and not self.pipeline:
            self.loop.call_soon(self._go_on)

    def upgraded(self, rest: bytes) -> None:
        """A request asks for another protocol; `rest` came behind its head."""
        raise NotImplementedError

    def send_400_response(self, msg: str) -> None:
        self.refuse(400)

    def refuse(self, status: int) -> None:
        """Answer what is no request with an error, behind the answers to those before it, and close
        the connection."""
        if self._refused:
            return
        self._refused, self._held = True, b""
        cycle = self.cycle
        if cycle is not None and cycle.more_body and not cycle.response_complete:
            # This is the request whose body goes on; its application is told that it is over.
            if self.pipeline:
                self.pipeline.popleft()
            elif cycle.response_started:
                self.transport.close()
                return
            cycle.disconnected = True
            cycle.message_event.set()
        if self.answering():
            self._last_word = refusal(status)
            self._shut()
        else:
            self._leave(refusal(status))

    def answering(self) -> bool:
        """Whether an earlier request is still being answered."""
        cycle = self._active
        return cycle is not None and not cycle.response_complete and not cycle.disconnected

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._active = cycle
        super()._start_asgi_task(cycle, app)

    def _leave(self, answer: bytes) -> None:
        self._last_word = b""
        if self.transport.is_closing():
            return
        self.transport.write(answer)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.shut = False
        self.flow.resume_reading()
        self.loop.call_later(LEAVE_SECONDS, self.transport.close)

    def _take(self, data: bytes) -> None:
        for start in range(0, len(data), SLICE):
            if self.pipeline or self._parts > MAX_PARTS_A_TURN:
                self._held = data[start:]
                break
            if not self._parse(data[start : start + SLICE], data, start):
                return
        if self.pipeline:
            self._shut()
        elif self._held:
            self._shut()
            self.loop.call_later(TURN_SECONDS, self._go_on)

    def _parse(self, piece: bytes, data: bytes, start: int) -> bool:
        """False when the rest of `data` is not this parser's any more."""
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade as upgrade:
            self.upgraded(data[start + upgrade.args[0] :])
            return False
        except httptools.HttpParserError as error:
            cause = error.__context__
            self.refuse(cause.args[0] if isinstance(cause, Refused) else 400)
        return not self._refused

    def _shut(self) -> None:
        self.flow.pause_reading()
        self.flow.shut = True

    def _go_on(self) -> None:
        """Parse what was held back, and read on."""
        if self.parser is None or self.pipeline or self.transport.is_closing():
            return
        if self._last_word:
            if not self.answering():
                self._leave(self._last_word)
            return
        held, self._held = self._held, b""
        self.flow.shut = False
        self._parts = 0
        if held:
            self._unset_keepalive_if_required()
            self._take(held)
        if not self.flow.shut:
            self.flow.resume_reading()
