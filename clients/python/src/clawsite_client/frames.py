"""The requests of `steps` as frames of a WebSocket, and what comes back."""

import json
from typing import Any

from clawsite_client.answer import Event
from clawsite_client.errors import ClawError, connection_lost
from clawsite_client.steps import Request

TOO_LARGE = 1009
"""The code with which a server closes that was sent more than it takes."""


def address(url: str) -> str:
    """The WebSocket's address of a client's `url`."""
    return f"ws{url.removeprefix('http')}/api/ws"


def opening(request: Request, token: str) -> list[str]:
    """The frames that a connection begins with, for the events of this request."""
    agent = {"agentId": request.body["agentId"]} if "agentId" in (request.body or {}) else {}
    return [json.dumps(each) for each in ({"type": "auth", "token": token, **agent}, _ask(request))]


def event_of(text: str | bytes) -> Event | None:
    """The event of a frame, or None for one that is about the connection. Raises ClawError for a
    refusal, or where the server sends us away for a while."""
    frame: Any = json.loads(text)
    if not isinstance(frame, dict):
        raise ValueError(frame)
    if "seq" in frame or frame.get("type") == "snapshot":
        return frame
    if frame.get("type") == "reconnect":
        raise connection_lost(retry_after=frame["delayMs"] / 1000)
    if frame.get("type") == "error":
        seconds = frame["retryAfter"] / 1000 if "retryAfter" in frame else None
        details = frame.get("details")
        raise ClawError(frame["code"], frame["message"], retry_after=seconds, details=details)
    return None


def position_of(event: Event) -> str:
    """The position of an event, as an event stream has it in its ids."""
    return f"{event['runId']}:{event.get('seq', event.get('lastSeq'))}"


def closed(code: int | None) -> ClawError:
    """The error of a connection that was closed with this code."""
    if code == TOO_LARGE:
        return ClawError("message_too_large", "The server takes no message of this size.")
    return connection_lost()


def _ask(request: Request) -> dict[str, Any]:
    """The request itself: a message, a history, or the rest of a run."""
    position = request.headers.get("Last-Event-ID")
    if position is None and request.method == "GET":
        position = f"{request.path.split('/')[3]}:0"
    if position is not None:
        run_id, _, seq = position.rpartition(":")
        return {"type": "resume", "runId": run_id, "lastSeq": int(seq)}
    fields = {name: each for name, each in request.body.items() if name != "agentId"}
    fields["clientMessageId"] = request.headers["Idempotency-Key"]
    if "messages" in fields:
        return {"type": "chat", **fields}
    return {"type": "message", "content": fields.pop("message"), **fields}
