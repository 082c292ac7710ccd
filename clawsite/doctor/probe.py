"""Reads the pattern of `clawsite.operator.diagnostics` through the public path."""

import json
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.sync.client import connect

PATH = "/api/diagnostics"
PATIENCE = 60.0  # seconds without anything: twice the longest silence by default


@dataclass
class Observation:
    """The observation of one transport. Times are epoch seconds: `sent` by the server's clock, all
    others by ours."""

    transport: str
    status: int = 0  # 0: nothing has answered
    compression: str = ""
    start: dict[str, Any] | None = None
    asked: float = field(default_factory=time.time)
    answered: float = 0.0
    sent: list[float] = field(default_factory=list)
    arrived: list[float] = field(default_factory=list)
    complete: bool = False
    lasted: float = 0.0
    error: str = ""

    def take(self, event: dict[str, Any]) -> None:
        """One event of the pattern, now."""
        now = time.time()
        match event["type"]:
            case "start":
                self.start, self.answered = event, now
            case "beat":
                self.sent.append(event["sentAt"] / 1000)
                self.arrived.append(now)
            case "end":
                self.complete = True
            case "error":
                self.error = event["message"]


def observe(url: str) -> list[Observation]:
    """Both transports of the installation at `url` at the same time. Takes as long as it is ever
    silent: half a minute by default."""
    address = url.rstrip("/") + PATH
    with ThreadPoolExecutor(2) as threads:
        looking = [threads.submit(look, address) for look in (_event_stream, _websocket)]
        return [each.result() for each in looking]


def _event_stream(address: str) -> Observation:
    seen = Observation("event stream")
    parts = urlsplit(f"{address}/stream")
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    # As a browser asks, or a proxy that compresses would not show it.
    headers = {"Accept": "text/event-stream", "Accept-Encoding": "gzip"}
    with (
        _reporting(seen),
        closing(kind(parts.hostname or "", parts.port, timeout=PATIENCE)) as connection,
    ):
        connection.request("GET", parts.path, headers=headers)
        response = connection.getresponse()
        seen.status = response.status
        seen.compression = response.headers.get("Content-Encoding", "")
        if response.status == 200:
            for line in _lines(response, compressed=seen.compression == "gzip"):
                if line.startswith(b"data: "):
                    seen.take(json.loads(line[6:]))
    return seen


def _websocket(address: str) -> Observation:
    seen = Observation("WebSocket")
    address = address.replace("http", "ws", 1) + "/ws"
    with (
        _reporting(seen),
        connect(address, compression="deflate", proxy=None, open_timeout=PATIENCE) as socket,
    ):
        seen.status = 101
        seen.compression = ", ".join(each.name for each in socket.protocol.extensions)
        while not seen.complete:
            seen.take(json.loads(socket.recv(PATIENCE)))
    return seen


def _lines(response: HTTPResponse, *, compressed: bool) -> Iterator[bytes]:
    """The lines of a body, each as soon as it is here."""
    unzip = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress if compressed else bytes
    rest = b""
    while data := response.read1():
        *lines, rest = (rest + unzip(data)).split(b"\n")
        yield from lines


@contextmanager
def _reporting(seen: Observation) -> Iterator[None]:
    """However it ends, the observation says so."""
    try:
        yield
    except InvalidStatus as refused:
        seen.status = refused.response.status_code
    except TimeoutError:
        seen.error = f"nothing came for {PATIENCE:.0f} s"
    except (HTTPException, WebSocketException, OSError, ValueError, zlib.error) as error:
        seen.error = seen.error or str(error) or type(error).__name__
    seen.lasted = time.time() - seen.asked
