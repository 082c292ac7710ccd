"""The connections to one path of a model server: kept open and used again."""

import asyncio
from collections.abc import Mapping
from urllib.parse import urlsplit

from engine.http.connection import Connection, Idle, Receiver, Stale
from engine.http.dialer import Dialer
from engine.http.guard import Guard
from engine.http.http1 import Broken

KEEPALIVE_SECONDS = 60.0  # below what load balancers in front of model servers usually allow


class Pool:
    """Sends requests to `path` below `base_url`, all with the same headers. There are as many
    connections as requests at once: the caller bounds those, and has a better error for it.

    `guard` checks every connection; None: the address is the operator's choice."""

    def __init__(
        self, base_url: str, path: str, headers: Mapping[str, str], guard: Guard | None
    ) -> None:
        """Raises `ValueError` for what is no address of a web server."""
        self._dialer = Dialer(base_url, guard)
        url = urlsplit(base_url)
        host, target = url.netloc.rpartition("@")[2], base_path(url.path, path) + path
        target += f"?{url.query}" if url.query else ""
        if proxy := self._dialer.reads_requests():
            target, headers = f"http://{host}{target}", {**headers, **proxy.headers}
        lines = [f"POST {target} HTTP/1.1", f"host: {host}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._head = "\r\n".join([*lines, "content-length: "]).encode("ascii")
        self._open: set[Connection] = set()
        self._idle: dict[Connection, None] = {}  # the one used last is used first

    async def post(self, body: bytes, receiver: Receiver, idle_timeout: float) -> None:
        """Send it, and give the response to `receiver`; see `Connection.exchange`.

        Connecting takes `idle_timeout` seconds at most. Raises `AddressRefused` too."""
        request = b"%b%d\r\n\r\n%b" % (self._head, len(body), body)
        if self._idle:
            connection, _ = self._idle.popitem()
            try:
                return await self._exchange(connection, request, receiver, idle_timeout)
            except Stale:
                pass  # as good as always the server closed while we sent, and has not read it
        fresh = await self._connect(idle_timeout)
        await self._exchange(fresh, request, receiver, idle_timeout)

    async def aclose(self) -> None:
        """Close all connections."""
        for connection in self._open:
            connection.abort()
        await asyncio.sleep(0)  # the loop closes the sockets in its next turn

    async def _connect(self, idle_timeout: float) -> Connection:
        try:
            async with asyncio.timeout(idle_timeout):
                connection = await self._dialer.dial(lambda: Connection(self._forget))
        except TimeoutError:
            raise Idle(f"not connected after {idle_timeout} s") from None
        except (OSError, UnicodeError) as error:
            raise Broken(f"no connection: {error!r}") from error
        self._open.add(connection)
        return connection

    async def _exchange(
        self, connection: Connection, request: bytes, receiver: Receiver, idle_timeout: float
    ) -> None:
        try:
            await connection.exchange(request, receiver, idle_timeout)
        finally:
            if connection.reusable:
                self._idle[connection] = None
                connection.rest(KEEPALIVE_SECONDS)

    def _forget(self, connection: Connection) -> None:
        self._open.discard(connection)
        self._idle.pop(connection, None)


def base_path(given: str, path: str) -> str:
    """The path before `path`. Some addresses contain all of it, or its version."""
    given = given.rstrip("/")
    version = "/v1" if path.startswith("/v1/") else ""
    return given.removesuffix(path).rstrip("/").removesuffix(version)
