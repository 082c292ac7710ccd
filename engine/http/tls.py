"""TLS of one connection, from bytes to bytes, and the handshake that begins it."""

import asyncio
import socket
import ssl

RECORD = 16 * 1024  # bytes; no record says more (RFC 8446, section 5.1)
READ = 64 * 1024  # bytes


class TlsSession:
    """The client's side; no I/O. Once it has `ended`, or there is `damage`, nothing more comes."""

    def __init__(self, context: ssl.SSLContext, server_hostname: str) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._ssl = context.wrap_bio(
            self._incoming, self._outgoing, server_hostname=server_hostname
        )
        self.ended = False  # by a close_notify
        self.damage: ssl.SSLError | None = None

    @property
    def unread(self) -> bool:
        """Whether something came that has not been looked at."""
        return self._incoming.pending > 0

    def shake_hands(self, data: bytes) -> bool:
        """Whether the handshake is done with this from the server. Raises `ssl.SSLError`."""
        self._incoming.write(data)
        try:
            self._ssl.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def encrypt(self, data: bytes | bytearray | memoryview) -> None:
        """Encrypts `data`; `answers` gives the bytes to send."""
        rest = memoryview(data)
        while rest:
            rest = rest[self._ssl.write(rest) :]

    def decrypt(self, data: bytes) -> bytes:
        """All that can be read by now. There may be `answers` to it, say to a change of keys."""
        self._incoming.write(data)
        parts: list[bytes] = []
        try:
            # OpenSSL holds no whole record once all is taken from it: no need to ask until it
            # refuses, which costs as much as a record.
            while self._incoming.pending and not self.ended:
                parts.append(self._ssl.read(RECORD))
                self.ended = not parts[-1]
        except ssl.SSLWantReadError:  # the rest of a record is still to come
            pass
        except ssl.SSLError as error:
            self.damage = error
        return b"".join(parts)

    def answers(self) -> bytes:
        """The bytes to send."""
        return self._outgoing.read() if self._outgoing.pending else b""


async def shake_hands(sock: socket.socket, context: ssl.SSLContext, host: str) -> TlsSession:
    """A session with `host`, who has proved to be that. Raises `OSError` (`ssl.SSLError` is one);
    without a session, and if it is cancelled, it closes the socket."""
    loop = asyncio.get_running_loop()
    try:
        session, data, done = TlsSession(context, host), b"", False
        while True:
            done = session.shake_hands(data)
            await loop.sock_sendall(sock, session.answers())
            if done:
                return session
            data = await loop.sock_recv(sock, READ)
            if not data:
                raise ConnectionResetError("closed in the middle of the TLS handshake")
    except BaseException:
        sock.close()
        raise
