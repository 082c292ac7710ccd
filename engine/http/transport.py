"""The transport of a connection to a model server: a socket, with TLS or without.

It has as much of `asyncio.Transport` as `connection.Connection` needs.
"""

import asyncio
import socket
import ssl
from time import monotonic

from engine.http.poller import watch
from engine.http.tls import TlsSession

READ = 16 * 1024  # bytes at once: some hundred tokens, 2 ms
REST, MAX_REST = 4.0, 0.05
"""A server that sends faster than it is read rests for `REST` times as long as each read took, at
most `MAX_REST` seconds: it takes a fifth of a core, and the tokens of others come in between."""


class SocketTransport(asyncio.Transport):
    """Feeds `protocol` by the poller of the running loop. There is no half-closing: the end of what
    the server sends is `connection_lost(None)`."""

    def __init__(self, sock: socket.socket, protocol: asyncio.Protocol) -> None:
        """`sock` is connected and does not block; it is closed after `connection_lost`."""
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._sock, self._recv = sock, sock.recv
        self._protocol, self._deliver = protocol, protocol.data_received
        self._unsent = bytearray()
        self._closing = False
        self._watched = watch(sock.fileno(), self._read)
        protocol.connection_made(self)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send it, what the socket does not take at once as soon as it does."""
        if self._closing:
            return
        waiting = bool(self._unsent)
        self._unsent += data
        if not waiting:
            self._watched.hurry()
            self._send()
            if self._unsent:
                self._loop.add_writer(self._sock, self._send)

    def is_closing(self) -> bool:
        """Whether it is closed, or will be in the next turn of the loop."""
        return self._closing

    def abort(self) -> None:
        """Close it; nothing is delivered or sent from now on."""
        self._end(None)

    # --- called by the poller and the loop

    def _read(self) -> None:
        try:
            data = self._recv(READ)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._end(error)
            return
        if not data:
            self._end(None)
            return
        began = monotonic()  # the time of a loop may stand still in a turn
        try:
            self._deliver(data)
        except Exception as error:  # noqa: BLE001 - a defect of the protocol, which ends it
            context = {"message": "data_received() failed", "exception": error, "transport": self}
            self._loop.call_exception_handler(context)
            self._end(error)
        if len(data) == READ and not self._closing:
            self._watched.pause(min(REST * (monotonic() - began), MAX_REST))

    def _send(self) -> None:
        try:
            sent = self._sock.send(self._unsent)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._end(error)
            return
        del self._unsent[:sent]
        if not self._unsent:
            self._loop.remove_writer(self._sock)

    def _end(self, error: Exception | None) -> None:
        if self._closing:
            return
        self._closing = True
        self._watched.forget()
        self._loop.remove_writer(self._sock)
        self._unsent.clear()
        self._loop.call_soon(self._lose, error)

    def _lose(self, error: Exception | None) -> None:
        try:
            self._protocol.connection_lost(error)
        finally:
            self._sock.close()
            del self._protocol, self._deliver  # which hold this


class TlsTransport(SocketTransport):
    """The same within a TLS session. A server that leaves without a close_notify has ended like any
    other: many do, and an answer says itself whether it is whole."""

    def __init__(
        self, sock: socket.socket, protocol: asyncio.Protocol, session: TlsSession
    ) -> None:
        """`session` has shaken hands over `sock`."""
        self._session = session
        super().__init__(sock, protocol)
        self._deliver = self._decrypt
        if session.unread:  # the poller does not know of it
            self._loop.call_soon(self._decrypt, b"")

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """See `SocketTransport`."""
        if self._closing:
            return
        try:
            self._session.encrypt(data)
        except ssl.SSLError as error:  # a server that wants new keys first, say
            self._end(error)
            return
        super().write(self._session.answers())

    def _decrypt(self, data: bytes) -> None:
        if self._closing:
            return
        session = self._session
        said = session.decrypt(data)
        if answers := session.answers():
            super().write(answers)
        if said:
            self._protocol.data_received(said)
        if session.ended or session.damage is not None:
            self._end(session.damage)
