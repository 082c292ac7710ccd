"""One HTTP request and its response: its id, its numbers and, with `CLAW_REQUEST_LOG`, its line."""

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from django.conf import settings
from prometheus_client import Counter, Histogram

from core.metrics import REGISTRY, SHORT
from core.tracing import trace
from engine.ids import new_id

log = logging.getLogger(__name__)

RESPONSES = Counter(
    "clawsite_http_responses",
    "HTTP responses by route and status.",
    ["route", "status"],
    registry=REGISTRY,
)
SECONDS = Histogram(
    "clawsite_http_seconds",
    "From an HTTP request to the beginning of its response.",
    ["route"],
    buckets=SHORT,
    registry=REGISTRY,
)
CLIENT_LEFT = 499  # as nginx says it


class Exchange:
    """Begins with the request; from then on every log line of its task carries its `id`."""

    def __init__(self, scope: Any) -> None:
        self.id = new_id("req")
        self._scope, self._begun = scope, time.perf_counter()
        self._status: int | None = None
        trace(request=self.id)

    def begin(self, route: str, status: int) -> None:
        """The response is known, and is about to be sent. `route` is one of few."""
        self._status = status
        RESPONSES.labels(route, str(status)).inc()
        SECONDS.labels(route).observe(time.perf_counter() - self._begun)

    def end(self) -> None:
        """The response is over, or the client left before there was one."""
        if self._status is None:
            self._status = CLIENT_LEFT
            RESPONSES.labels("other", str(CLIENT_LEFT)).inc()
        if settings.CLAW_REQUEST_LOG:
            self._say()

    def _say(self) -> None:
        fields = {
            "method": self._scope["method"],
            "path": quote(self._scope["path"]),  # a line stays one line
            "status": self._status,
            "ms": round((time.perf_counter() - self._begun) * 1000, 1),
        }
        log.info("%(method)s %(path)s %(status)d %(ms)s ms", fields, extra={"fields": fields})


async def exchanged(
    app: Callable[..., Awaitable[None]], route: str, scope: Any, receive: Any, send: Any
) -> None:
    """Have an application answer that knows nothing of exchanges."""
    exchange = Exchange(scope)

    async def sending(message: Any) -> None:
        if message["type"] == "http.response.start":
            exchange.begin(route, message["status"])
            own = (b"x-request-id", exchange.id.encode())
            message = {**message, "headers": [*message.get("headers", []), own]}
        await send(message)

    try:
        await app(scope, receive, sending)
    finally:
        exchange.end()
