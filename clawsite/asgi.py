"""Routes every connection: to the API, the WebSocket, static files, or Django's own pages."""

import os
import re
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clawsite.settings")
pages = get_asgi_application()  # sets Django up; what follows needs that

from django.conf import settings  # noqa: E402

from agents.public.addresses import host_slug  # noqa: E402
from clawsite.http.exchange import exchanged  # noqa: E402
from clawsite.http.handler import ApiHandler  # noqa: E402
from clawsite.http.refused import problem_of, refused  # noqa: E402
from clawsite.http.static import static_app  # noqa: E402
from clawsite.operator import diagnostics  # noqa: E402
from conversations.transports.identify import as_visited, asgi_headers  # noqa: E402
from conversations.transports.ws.consumers import ChatConsumer  # noqa: E402
from conversations.transports.ws.simple import SimpleConsumer, is_socket  # noqa: E402

# The API refuses addresses that look like those of operators; the console's pages do not see them.
API = re.compile(r"/(?:a/[^/]+/)?(?:(?:api|v1)/|mcp/?$)|/+(?:healthz|readyz|metrics)/*$")
SOCKET = re.compile(r"/(?:a/(?P<slug>[^/]+)/)?api/ws/?")
SIMPLE_SOCKET = re.compile(r"/(?:a/(?P<slug>[^/]+)/)?ws/(?P<name>[^/]+)/?")
DIAGNOSTICS = "/api/diagnostics/ws"

api = ApiHandler()
static = static_app(pages)
chat, simple = ChatConsumer.as_asgi(), SimpleConsumer.as_asgi()


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Route one connection."""
    if scope["type"] not in ("websocket", "http"):
        raise ValueError(f"unexpected connection type {scope['type']!r}")
    scope = as_visited(scope)
    if (problem := problem_of(scope)) is not None:
        await refused(problem, scope, receive, send)
    elif scope["type"] == "websocket":
        await _socket(scope, receive, send)
    elif API.match(scope["path"]):
        await api(scope, receive, send)
    elif scope["path"].startswith(settings.STATIC_URL):
        await exchanged(static, "static", scope, receive, send)
    elif host_slug(asgi_headers(scope).get("host", "")):
        await api(scope, receive, send)  # an agent's own host has no pages of the console
    else:
        route = "admin" if scope["path"].startswith("/admin/") else "page"
        await exchanged(pages, route, scope, receive, send)


async def _socket(scope: Any, receive: Any, send: Any) -> None:
    if scope["path"] == DIAGNOSTICS:
        await diagnostics.socket(scope, receive, send)
        return
    door, found = chat, SOCKET.fullmatch(scope["path"])
    if found is None and (found := SIMPLE_SOCKET.fullmatch(scope["path"])) is not None:
        door, found = simple, found if is_socket(found["name"]) else None
    if found is None:
        await receive()
        await send({"type": "websocket.close", "code": 4004})  # before accept: HTTP 403
        return
    await door({**scope, "url_route": {"kwargs": found.groupdict()}}, receive, send)
