"""New connections to one server: to which address, through which proxy, with TLS or without."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any, TypeAlias, TypeVar
from urllib.parse import urlsplit

from engine.http.guard import DEFAULT_PORT, UNSAFE, Guard, is_address
from engine.http.proxy import Proxy, environment_proxy
from engine.http.tls import shake_hands
from engine.http.transport import SocketTransport, TlsTransport

TENANTS_LOOKUPS = 8  # at once; a thread waits half a minute for a name server that is silent
ADDRESS_WAIT = 2.0  # seconds for each address but the last: IPv6 that leads nowhere is common

Address: TypeAlias = tuple[int, int, int, str, Any]
"""An entry of what `socket.getaddrinfo` finds."""
P = TypeVar("P", bound=asyncio.Protocol)


class Dialer:
    """Opens connections to the server of `base_url`. `guard` None: the operator chose it."""

    def __init__(self, base_url: str, guard: Guard | None) -> None:
        """Raises `ValueError` for what is no address of a web server, or a proxy of a kind that we
        do not know."""
        parts = urlsplit(base_url)
        if parts.scheme not in DEFAULT_PORT or not parts.hostname or parts.port == 0:
            raise ValueError("neither http nor https, or no host, or no port")
        if UNSAFE.search(base_url):
            raise ValueError("unsafe characters")
        self._url, self._guard = base_url, guard
        self._scheme, self._host = parts.scheme, parts.hostname
        self._port = parts.port or DEFAULT_PORT[parts.scheme]
        self._proxy: Proxy | None = None
        if guard is None and (url := environment_proxy(self._scheme, self._host)):
            self._proxy = Proxy(url)

    def reads_requests(self) -> Proxy | None:
        """The proxy that reads our requests: with TLS it only passes bytes on."""
        return self._proxy if self._scheme == "http" else None

    async def dial(self, protocol: Callable[[], P]) -> P:
        """A connected protocol. Raises `AddressRefused`, `OSError`, and `UnicodeError` for a host
        that cannot be looked up."""
        if self._guard is not None:
            self._guard.check_url(self._url)
        sock = await self._connect()
        session = None
        if self._scheme == "https":
            session = await shake_hands(sock, tls_context(), self._host.rstrip("."))
        try:
            connected = protocol()
            if session is None:
                SocketTransport(sock, connected)
            else:
                TlsTransport(sock, connected, session)
        except BaseException:  # there is no descriptor left for the poller, perhaps
            sock.close()
            raise
        return connected

    async def _connect(self) -> socket.socket:
        if self._proxy is None:
            return await connect(await self._addresses())
        sock = await connect(await look_up(self._proxy.host, self._proxy.port))
        if self._scheme == "https":
            await self._proxy.open_tunnel(sock, self._host, self._port)
        return sock

    async def _addresses(self) -> Sequence[Address]:
        """Those of the server. The very ones that are checked here are connected: there is no
        second lookup, which could give another answer."""
        if self._guard is None:
            return await look_up(self._host, self._port)
        addresses = await look_up(self._host, self._port, tenants_resolver())
        for *_, address in addresses:
            self._guard.check_address(self._scheme, address[0], self._port)
        return addresses


async def look_up(
    host: str, port: int, threads: ThreadPoolExecutor | None = None
) -> Sequence[Address]:
    """The addresses of a host, best first; at least one. `threads`: where to wait for them, if not
    in the loop's own. Raises `OSError`, `UnicodeError`."""
    find = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    if is_address(host):  # no thread for a number
        return find(flags=socket.AI_NUMERICHOST)
    return await asyncio.get_running_loop().run_in_executor(threads, find)


@cache
def tenants_resolver() -> ThreadPoolExecutor:
    """Threads of their own for the hosts that tenants name: a name server that never answers holds
    its thread long after the caller has gone, and shall not hold up the operator's hosts."""
    return ThreadPoolExecutor(TENANTS_LOOKUPS, "tenants_resolver")


async def connect(addresses: Sequence[Address]) -> socket.socket:
    """A socket to the first address that can be connected. Raises `OSError`."""
    *others, last = addresses
    for address in others:
        try:
            async with asyncio.timeout(ADDRESS_WAIT):
                return await connect_to(address)
        except OSError:  # a timeout is one
            continue
    return await connect_to(last)


async def connect_to(address: Address) -> socket.socket:
    """A socket to this address. Raises `OSError`."""
    family, kind, protocol, _, name = address
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        # The end of a large request waits for no acknowledgement.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(sock, name)
    except BaseException:
        sock.close()
        raise
    return sock


@cache
def tls_context() -> ssl.SSLContext:
    """The system's trust, and HTTP/1.1. Cached: reading the certificates takes milliseconds.

    A certificate names its host as a subject alternative name: a common name says nothing of it
    (RFC 9525, 2), and OpenSSL would fall back to it."""
    context = ssl.create_default_context()
    context.hostname_checks_common_name = False
    context.set_alpn_protocols(["http/1.1"])
    return context
