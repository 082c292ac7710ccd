"""Where every connection goes: the API, the WebSocket, static files, or Django's own pages."""

import os
import re
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clawsite.settings")
pages = get_asgi_application()  # sets Django up; what follows needs that

from django.conf import settings  # noqa: E402

from agents.addresses import host_slug  # noqa: E402
from clawsite import diagnostics  # noqa: E402
from clawsite.api_handler import ApiHandler  # noqa: E402
from clawsite.static import static_app  # noqa: E402
from conversations.transports.consumers import ChatConsumer  # noqa: E402
from conversations.transports.identify import as_visited, asgi_headers  # noqa: E402

API = re.compile(r"/(?:a/[^/]+/)?api/|/(?:healthz|readyz|metrics)$")
SOCKET = re.compile(r"/(?:a/(?P<slug>[^/]+)/)?api/ws/?")
DIAGNOSTICS = "/api/diagnostics/ws"

api = ApiHandler()
static = static_app(pages)
chat = ChatConsumer.as_asgi()


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Route one connection."""
    if scope["type"] not in ("websocket", "http"):
        raise ValueError(f"unexpected connection type {scope['type']!r}")
    scope = as_visited(scope)
    if scope["type"] == "websocket":
        await _socket(scope, receive, send)
    elif API.match(scope["path"]):
        await api(scope, receive, send)
    elif scope["path"].startswith(settings.STATIC_URL):
        await static(scope, receive, send)
    elif host_slug(asgi_headers(scope).get("host", "")):
        await api(scope, receive, send)  # an agent's own host has no pages of the console
    else:
        await pages(scope, receive, send)


async def _socket(scope: Any, receive: Any, send: Any) -> None:
    if scope["path"] == DIAGNOSTICS:
        await diagnostics.socket(scope, receive, send)
        return
    found = SOCKET.fullmatch(scope["path"])
    if found is None:
        await receive()
        await send({"type": "websocket.close", "code": 4004})  # before accept: HTTP 403
        return
    await chat({**scope, "url_route": {"kwargs": found.groupdict()}}, receive, send)
