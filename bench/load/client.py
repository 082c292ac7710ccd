"""One client of the load: what it asks, and what it takes from what arrives (client.h)."""

import asyncio
import re
import socket
from time import monotonic_ns

import msgspec

from bench.load.connection import Connection, Frames, Response
from bench.load.options import Options
from bench.load.tally import ASKED, CLOSED, CONNECTING, OVER, READY, STREAMING, Tally

TOKEN = re.compile(r"(\d+):(\d+) ")
STALLED_BUFFER = 4096  # bytes that the system takes for a client that does not read


class Event(msgspec.Struct, gc=False, rename="camel"):
    """The fields of an event that count."""

    type: str = ""
    content: str = ""
    run_id: str = ""
    seq: int = 0


_decode = msgspec.json.Decoder(Event).decode


class Client:
    """Its connection and the answer that it gets; every token is checked."""

    def __init__(self, options: Options, tally: Tally, order: str, *, stalled: bool) -> None:
        self.options, self.stalled = options, stalled
        self.state = CLOSED
        self.connection: Connection | None = None
        self._tally, self._order = tally, order
        self._moved = asyncio.Event()
        self._again = False  # it resumes
        self._index = self._asked = self._seq = 0
        self._run_id = ""

    async def connect(self) -> None:
        """Returns when it can ask, or has failed."""
        self._become(CONNECTING)
        own = socket.socket()
        own.setblocking(False)
        if self.stalled:
            own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, STALLED_BUFFER)
        reader = Frames if self.options.kind == "ws" else Response
        loop = asyncio.get_running_loop()
        try:
            await loop.sock_connect(own, ("127.0.0.1", self.options.port))
            await loop.create_connection(lambda: reader(self), sock=own)
        except OSError as error:
            own.close()
            self.fail(f"cannot connect: {error}")
        await self.leave(CONNECTING)

    async def start(self) -> None:
        """Ask, and return with the first token."""
        self.ask()
        await self.leave(ASKED)

    async def resume(self) -> None:
        """Be cut in the middle of the answer, and come back to where it was."""
        if self.state != STREAMING:
            return
        self._drop(CLOSED)
        self._again, self._asked = True, monotonic_ns()
        await self.connect()
        self.ask()

    async def leave(self, *states: int) -> None:
        """Return when it is in none of these states."""
        while self.state in states:
            self._moved.clear()
            await self._moved.wait()

    def ask(self) -> None:
        """If it can: the next question, or the rest of the answer that was cut."""
        if self.connection is None or self.state not in (READY, OVER):
            return
        if self._again:
            text = self.options.resume.replace("{run}", self._run_id, 1)
            text = text.replace("{seq}", str(self._seq), 1)
        else:
            text = self.options.ask.replace("{order}", self._order, 1)
            self._index, self._asked = 0, monotonic_ns()
        self._become(ASKED)
        self.connection.send(text.encode())

    def ready(self) -> None:
        """The connection stands."""
        self._become(READY)

    def event(self, data: bytes, at: int) -> None:
        """One event's JSON, which arrived then."""
        try:
            event = _decode(data)
        except msgspec.DecodeError as error:
            self.fail(f"no event ({error}): {data[:200]!r}")
            return
        if event.seq:
            self._run_id, self._seq = event.run_id, event.seq
        if event.type == "token":
            self._take(event.content, at)
        elif event.type == "error":
            self.fail(data[:400].decode(errors="replace"))
        elif event.type == "done":
            self._end(data)
        elif self.state == CONNECTING:  # the greeting
            self.ready()

    def over(self) -> None:
        """Ends this answer."""
        if self.state != OVER:
            self.fail("a body without `done`")
        elif self._tally.repeating:
            self.ask()

    def lost(self) -> None:
        """The server has closed the connection."""
        if self.state == OVER:
            self.connection = None
        else:
            self.fail(f"the connection was lost after {self._index} tokens")

    def fail(self, error: str) -> None:
        """Notes a failure; the client ends."""
        self._tally.fail(error)
        self._drop(OVER)

    def _take(self, content: str, at: int) -> None:
        end = 0
        while match := TOKEN.match(content, end):
            if int(match[1]) != self._index:
                self.fail(f"token {match[1]} instead of {self._index}")
                return
            if self.state == ASKED:
                self._tally.first(at - self._asked, again=self._again)
                self._become(STREAMING)
            self._index += 1
            self._tally.token(at - int(match[2]), again=self._again)
            end = match.end()
        if content[end : end + 1].isdigit():
            self.fail(f"no token {self._index}: {content[end : end + 60]}")
        elif self.stalled and self.connection is not None:  # from here on it does not read
            self.connection.pause()

    def _end(self, data: bytes) -> None:
        if self.state != STREAMING:
            self.fail(f"an answer without tokens: {data[:300]!r}")
            return
        self._tally.answer()
        self._become(OVER)

    def _drop(self, state: int) -> None:
        if self.connection is not None:
            self.connection.abort()
            self.connection = None
        self._become(state)

    def _become(self, state: int) -> None:
        self._tally.counts[self.state] -= 1
        self._tally.counts[state] += 1
        self.state = state
        self._moved.set()
