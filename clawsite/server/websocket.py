"""WebSockets that cannot occupy the server: read no faster than they are answered.

uvicorn parses all that has come at once, answers every ping, and leaves a handshake that it cannot
parse open without an answer."""

import asyncio
from collections.abc import Generator, Sequence
from typing import Any

from django.conf import settings
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.datastructures import Headers
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import Protocol, State
from websockets.server import ServerProtocol
from websockets.streams import StreamReader

from clawsite.http.spool import LARGE
from clawsite.server.refusals import LEAVE_SECONDS, refusal
from clawsite.server.stalls import StallGuard

OPEN = State.OPEN

FRAMES_A_TURN = 64  # of one socket in a turn of the loop, at some 15 us each
TURN_SECONDS = 0.01  # until the next ones: a flood takes a tenth of a core

MAX_FRAGMENTS = 4096  # of a message
MAX_CONTROL_FRAMES = 1024  # pings, and pongs that nobody asked for, at once
CONTROL_FRAMES_A_SECOND = 10  # from then on

DATA = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)


class PacedReader(StreamReader):
    """A reader of the bytes that have come. The parser, which asks before each frame, gets only so
    many at a time."""

    frames = 0

    def at_eof(self) -> Generator[None, None, bool]:
        while self.frames <= 0:
            yield
        self.frames -= 1
        return (yield from super().at_eof())


class Frames(ServerProtocol):
    """The frames of a socket whose request has been parsed already."""

    reader: PacedReader

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.reader = PacedReader()
        self.parser = Protocol.parse(self)  # without the request
        next(self.parser)

    def recv_frame(self, frame: Frame) -> None:
        super().recv_frame(frame)
        if frame.fin and frame.opcode in DATA:
            self.reader.frames = 0  # the next message waits until this one has been taken


class WebSocket(StallGuard, WebSocketsSansIOProtocol):
    """A WebSocket. Two things more in `scope["extensions"]`: `clawsite.abort()` cuts it without a
    handshake; `clawsite.write(texts)` sends them at once, or says that it cannot (False)."""

    conn: Frames
    _turn: asyncio.TimerHandle | None = None
    _deadline: asyncio.TimerHandle | None = None
    _controls, _counted = 0.0, 0.0  # control frames, and when they were counted
    _pongs = b""  # that wait until the peer reads

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.conn = Frames(max_size=self.config.ws_max_size, logger=self.logger)

    # -- the handshake

    def open(
        self,
        method: str,
        target: str,
        version: str,
        headers: Sequence[tuple[bytes, bytes]],
        rest: bytes,
    ) -> None:
        """Begin with a request for it; `rest` has come behind that. Nothing more is read until the
        application has accepted, for which there is a deadline."""
        fields = Headers((k.decode("latin-1"), v.decode("latin-1")) for k, v in headers)
        self._wait()
        self.handle_connect(Request(target, fields, method, f"HTTP/{version}"))
        if not self.close_sent:
            self.conn.reader.feed_data(rest)
            self._deadline = self.loop.call_later(settings.CLAW_AUTH_TIMEOUT, self._late)

    def handle_connect(self, event: Request) -> None:
        response = self.conn.accept(event)
        if response.status_code != 101:
            self._refuse(response.status_code)
            return
        super().handle_connect(event)
        extensions: dict[str, Any] = dict(self.scope["extensions"])
        extensions |= {"clawsite.abort": self.transport.abort, "clawsite.write": self.write}
        self.scope["extensions"] = extensions

    def _late(self) -> None:
        if not self.handshake_complete:
            self._refuse(503)

    def _refuse(self, status: int) -> None:
        self.handshake_complete = self.close_sent = True
        more = {"allow": "GET"} if status == 405 else {}
        if status in (400, 426):
            more = {"sec-websocket-version": "13"}  # RFC 6455, 4.4
        if status == 426:
            more["upgrade"] = "websocket"
        self.transport.write(refusal(status, more))
        self.transport.close()

    # -- what comes

    def data_received(self, data: bytes) -> None:
        if not self.conn.eof_sent:  # else it only waits for its peer to stop
            self._parse(data)

    async def receive(self) -> Any:
        """Take the next message; when there is none left the socket is read on, in the next turn of
        the loop: one that never waits for a message would let nobody else have a turn."""
        message = await self.queue.get()
        if self.queue.empty() and self.handshake_complete:
            if self.conn.reader.buffer:
                self.loop.call_soon(self._go_on)
            else:
                self._resume()
        return message

    def send_receive_event_to_app(self) -> None:
        """Adds one case to uvicorn's: a text that is no UTF-8 (RFC 6455, 8.1) is no failure of
        ours, so the log gets no traceback."""
        if self.curr_msg_data_type == "text":
            self.frames = [b"".join(self.frames)]
            if not is_utf8(self.frames[0]):
                self._fail("a text that is no UTF-8", CloseCode.INVALID_DATA)
                return
        super().send_receive_event_to_app()

    def handle_cont(self, event: Frame) -> None:
        super().handle_cont(event)
        if len(self.frames) > MAX_FRAGMENTS:
            self._fail("too many fragments")

    def handle_ping(self) -> None:
        """Pongs wait while the peer does not read; the latest suffice (RFC 6455, 5.5.3)."""
        pongs = b"".join(self.conn.data_to_send())
        if not self._count_control():
            return
        if self._stalled is None:
            self.transport.write(pongs)
        elif pongs:
            self._pongs = pongs

    def handle_pong(self, event: Frame) -> None:
        if self.pending_ping_payload is None or bytes(event.data) != self.pending_ping_payload:
            self._count_control()
        else:
            super().handle_pong(event)

    def handle_parser_exception(self) -> None:
        """Say why it ends, and let the peer read that: a socket that is closed while more comes is
        reset, and a proxy that is told so passes nothing on. So it closes a moment later."""
        close = self.conn.close_sent
        assert close is not None
        why: Any = {"type": "websocket.disconnect", "code": close.code, "reason": close.reason}
        self.queue.put_nowait(why)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        if self.close_timer is not None:
            self.close_timer.cancel()
        self.close_timer = self.loop.call_later(LEAVE_SECONDS, self.transport.close)
        self._resume()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._turn, self._deadline):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def _parse(self, data: bytes = b"") -> None:
        reader = self.conn.reader
        reader.frames = FRAMES_A_TURN
        self.conn.receive_data(data)
        if self.conn.parser_exc is not None:
            self.handle_parser_exception()
            return
        self.handle_events()
        if not self.queue.empty():
            return  # see `receive`
        if reader.frames <= 0 and reader.buffer:
            self._wait()
            self._turn = self.loop.call_later(TURN_SECONDS, self._go_on)
        else:
            self._resume()

    def _go_on(self) -> None:
        if self.transport.is_closing() or self.conn.eof_sent:
            return
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None
        if self.conn.reader.buffer:
            self._parse()
        else:
            self._resume()

    def _wait(self) -> None:
        if not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()

    def _resume(self) -> None:
        if self.read_paused and not self.transport.is_closing():
            self.read_paused = False
            self.transport.resume_reading()

    def _count_control(self) -> bool:
        """Count a control frame that we have not asked for; False if they are too many."""
        if self.close_sent:
            return False
        now = self.loop.time()
        forgotten = (now - self._counted) * CONTROL_FRAMES_A_SECOND
        self._controls, self._counted = max(0.0, self._controls - forgotten) + 1, now
        if self._controls > MAX_CONTROL_FRAMES:
            self._fail("too many control frames")
            return False
        return True

    def _fail(self, reason: str, code: CloseCode = CloseCode.POLICY_VIOLATION) -> None:
        if not self.close_sent:
            self.conn.fail(code, reason)
            self.handle_parser_exception()

    # -- what goes

    async def send(self, message: Any) -> None:
        """Text on an open socket, nearly all there is to send, needs none of uvicorn's layers."""
        text = message.get("text")
        if text is not None and self.write([text.encode()]):
            if self._stalled is not None and len(text) <= LARGE:
                await self.writable.wait()  # before the next frame, which may be large, is read
        else:
            await super().send(message)
            if message["type"] != "websocket.send" and self.queue.empty():
                self._go_on()  # it is accepted, or closing

    def write(self, texts: list[bytes]) -> bool:
        """Send text frames at once; False if the socket is not open, its peer is behind, or they
        are large together. One that is large is sent in fragments (RFC 6455, 5.4)."""
        transport = self.transport
        if self._stalled is not None or self.conn.state is not OPEN:
            return False
        if transport.is_closing():  # lost, and we are about to be told
            return False
        data = texts[0] if len(texts) == 1 else b"".join(map(text_frame, texts))
        if len(data) > LARGE:
            if len(texts) > 1:
                return False
            self.write_large(data)
            return True
        transport.write(text_frame(data) if len(texts) == 1 else data)
        return True

    def part(self, data: bytes, *, first: bool, last: bool) -> bytes:
        return frame(Opcode.TEXT if first else Opcode.CONT, data, fin=last)

    def resume_writing(self) -> None:
        if self.close_sent:  # nothing but its end may follow
            self._drop_rest()
        super().resume_writing()
        if self._stalled is not None:
            return
        pongs, self._pongs = self._pongs, b""
        if pongs:
            self.transport.write(pongs)


def is_utf8(data: bytes) -> bool:
    """Whether it is a text."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def text_frame(data: bytes) -> bytes:
    """A whole unmasked text frame (RFC 6455, 5.2)."""
    length = len(data)
    if length < 126:
        return b"\x81%c%b" % (length, data)
    return frame(Opcode.TEXT, data, fin=True)


def frame(opcode: Opcode, data: bytes, *, fin: bool) -> bytes:
    """An unmasked frame (RFC 6455, 5.2)."""
    return Frame(opcode, data, fin=fin).serialize(mask=False)
