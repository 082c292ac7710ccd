"""Clients of the whole application without a server: HTTP, event streams and WebSockets."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, Self

from clawsite.asgi import application

HOST = "127.0.0.1:8000"
STATE: dict[str, Any] = {}
"""What a server keeps for all of its connections; the fixture `services` fills it."""

PATIENCE = 30  # seconds; machines may be busy


class Connection:
    """One request or socket; `sent` is what the application has sent."""

    def __init__(self, kind: str, path: str, headers: dict[str, str], method: str = "GET") -> None:
        path, _, query = path.partition("?")
        raw = {"host": HOST, **headers}
        self.scope = {
            "type": kind,
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "scheme": "ws" if kind == "websocket" else "http",
            "http_version": "1.1",
            "client": ("192.0.2.1", 4711),
            "server": ("127.0.0.1", 8000),
            "state": STATE.copy(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in raw.items()],
        }
        self.sent: list[dict[str, Any]] = []
        self.incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._more = asyncio.Event()

    async def __aenter__(self) -> Self:
        self.task = asyncio.create_task(application(self.scope, self.incoming.get, self._send))
        self.task.add_done_callback(lambda _: self._more.set())
        return self

    async def __aexit__(self, *_: object) -> None:
        kind = self.scope["type"]
        self.incoming.put_nowait({"type": f"{kind}.disconnect", "code": 1000})
        await asyncio.wait_for(self.task, PATIENCE)

    async def _send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)
        self._more.set()

    async def until(self, found: Callable[[], Any]) -> Any:
        """What `found` gives once that is true."""
        async with asyncio.timeout(PATIENCE):
            while not (result := found()):
                assert not self.task.done(), self.sent
                self._more.clear()
                await self._more.wait()
        return result


class Response(Connection):
    """An HTTP request and its answer."""

    def __init__(
        self, method: str, path: str, body: Any = None, token: str = "", **headers: str
    ) -> None:
        given = {"authorization": f"Bearer {token}"} if token else {}
        super().__init__("http", path, {**given, **headers}, method)
        data = b"" if body is None else json.dumps(body).encode()
        self.incoming.put_nowait({"type": "http.request", "body": data})

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def text(self) -> str:
        return b"".join(part.get("body", b"") for part in self.sent[1:]).decode()

    @property
    def over(self) -> bool:
        """Whether the whole body has been sent."""
        return len(self.sent) > 1 and not self.sent[-1].get("more_body", False)

    async def saw(self, text: str) -> None:
        """Wait until the body has this."""
        await self.until(lambda: self.sent and text in self.text)

    async def ended(self) -> None:
        """Wait until the body has ended."""
        await self.until(lambda: self.over)


async def ask(method: str, path: str, body: Any = None, **options: str) -> tuple[int, Any]:
    """The status of a request, and its answer."""
    async with Response(method, path, body, **options) as response:
        await response.ended()
    return response.status, json.loads(response.text) if response.text else None


class Socket(Connection):
    """A WebSocket."""

    def __init__(self, path: str, **headers: str) -> None:
        super().__init__("websocket", path, headers)
        self.incoming.put_nowait({"type": "websocket.connect"})

    def say(self, **frame: Any) -> None:
        """Send a frame."""
        self.incoming.put_nowait({"type": "websocket.receive", "text": json.dumps(frame)})

    @property
    def frames(self) -> list[dict[str, Any]]:
        return [json.loads(each["text"]) for each in self.sent if "text" in each]

    async def next(self, type_: str, after: int = 0) -> dict[str, Any]:
        """The first frame of this type, but for the first `after` frames."""
        found: dict[str, Any] = await self.until(
            lambda: next((each for each in self.frames[after:] if each["type"] == type_), None)
        )
        return found

    async def closed(self) -> int:
        """The code with which it was closed."""
        last = await self.until(
            lambda: next((each for each in self.sent if each["type"] == "websocket.close"), None)
        )
        return int(last["code"])
