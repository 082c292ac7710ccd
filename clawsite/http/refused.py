"""A request that no route is asked about: it is answered with an error."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from clawsite.http.errors import envelope
from clawsite.http.exchange import exchanged
from conversations.transports.identify import asgi_headers
from core.tracing import traced
from engine.errors import ClawError
from engine.ids import new_id

TOO_MANY_FIELDS = ClawError("invalid_message", "The address has too many query parameters.")
NO_ADDRESS = ClawError("not_found", "There is nothing here.")
PACKED = ClawError("unsupported_encoding", "Send the body as it is, without a content encoding.")


def problem_of(scope: Mapping[str, Any]) -> ClawError | None:
    """The problem of a request that no route can answer."""
    if scope.get("query_string", b"").count(b"&") >= settings.DATA_UPLOAD_MAX_NUMBER_FIELDS:
        return TOO_MANY_FIELDS
    if "\0" in scope.get("path", ""):  # no id has a NUL, and PostgreSQL fails when asked for one
        return NO_ADDRESS
    return PACKED if _is_packed(asgi_headers(scope)) else None


def _is_packed(headers: Mapping[str, str]) -> bool:
    """Whether there is a body with a content coding (RFC 9110, 8.4): we undo none."""
    if "content-encoding" not in headers:
        return False
    has_body = headers.get("content-length", "0").strip("0") or "transfer-encoding" in headers
    codings = headers["content-encoding"].lower().split(",")
    return bool(has_body) and any(coding.strip() not in ("", "identity") for coding in codings)


async def refused(error: ClawError, scope: Any, receive: Any, send: Any) -> None:
    """Answer with the envelope of this error; where a WebSocket's handshake cannot be answered with
    a status of ours, by closing."""
    if scope["type"] == "http":
        await exchanged(_Answer(error), "other", scope, receive, send)
        return
    await receive()
    if "websocket.http.response" in scope.get("extensions", {}):
        await _Answer(error, "websocket.")(scope, receive, send)
    else:
        await send({"type": "websocket.close", "code": 1008})  # before accept: HTTP 403


class _Answer:
    """An ASGI application that says it; `prefix` is that of a handshake's response."""

    def __init__(self, error: ClawError, prefix: str = "") -> None:
        self._error, self._prefix = error, prefix

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request_id = traced().get("request") or new_id("req")
        response = envelope(self._error, request_id, scope["path"])
        headers = [(k.lower().encode(), v.encode()) for k, v in response.items()]
        length = (b"content-length", str(len(response.content)).encode())
        begin = {"status": response.status_code, "headers": [*headers, length]}
        await send({"type": f"{self._prefix}http.response.start", **begin})
        await send({"type": f"{self._prefix}http.response.body", "body": response.content})
