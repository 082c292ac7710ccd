"""The proxy that the operator's environment names for connections to model servers."""

import asyncio
import socket
from base64 import b64encode
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from engine.http.guard import is_address

MAX_RESPONSE = 16 * 1024  # bytes
DEFAULT_PORT = 80


class Proxy:
    """An HTTP proxy: it reads requests that are not encrypted, and passes on all others."""

    def __init__(self, url: str) -> None:
        """`url` may have no scheme, and a user. Raises `ValueError` for a kind we do not speak."""
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError("only http:// proxies are supported")
        self.host, self.port = parts.hostname, parts.port or DEFAULT_PORT
        self.headers: dict[str, str] = {}
        if parts.username is not None:
            user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self.headers["proxy-authorization"] = f"Basic {b64encode(user.encode()).decode()}"

    async def open_tunnel(self, sock: socket.socket, host: str, port: int) -> None:
        """Have what follows passed on to `host` (RFC 9110, section 9.3.6). Raises `OSError`, and
        closes the socket then."""
        authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        lines = [f"CONNECT {authority} HTTP/1.1", f"host: {authority}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        try:
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(sock, "\r\n".join([*lines, "", ""]).encode())
            status = await read_status(sock)
            if not 200 <= status < 300:
                raise ConnectionRefusedError(f"the proxy answered {status}")
        except BaseException:
            sock.close()
            raise


async def read_status(sock: socket.socket) -> int:
    """The status of the answer to CONNECT, read to the end of its headers. Raises `OSError`."""
    loop = asyncio.get_running_loop()
    answer = b""
    while b"\r\n\r\n" not in answer:
        data = await loop.sock_recv(sock, MAX_RESPONSE)
        answer += data
        if not data or len(answer) > MAX_RESPONSE:
            raise ConnectionResetError("the proxy gave no answer")
    version, _, rest = answer.partition(b" ")
    if not version.startswith(b"HTTP/1.") or not rest[:3].isdigit():
        raise ConnectionResetError("the proxy speaks no HTTP")
    return int(rest[:3])


def environment_proxy(scheme: str, host: str) -> str | None:
    """The proxy that the operator's environment names for this host, if any.

    Never for this machine itself: a proxy elsewhere could not reach it."""
    ours = host == "localhost" or (is_address(host) and ip_address(host).is_loopback)
    return None if ours or proxy_bypass(host) else getproxies().get(scheme)
