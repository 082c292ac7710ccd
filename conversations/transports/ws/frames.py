"""The frames that a socket sends about itself, from what the product knows."""

import logging
from typing import Any

from django.conf import settings

from agents.config import AgentConfig
from conversations.process.metrics import observe_error
from engine.errors import ClawError
from engine.ids import new_id
from wire import frames
from wire.errors import HTTP_STATUS
from wire.parse import dumps

log = logging.getLogger(__name__)

RECONNECT_MS = 1000


def error(problem: ClawError, reply_to: str | int | None = None) -> bytes:
    """An `error` frame about a frame or the connection."""
    observe_error(problem.code)
    frame = frames.Error(
        code=problem.code,
        message=problem.message,
        retry_after=problem.retry_after,
        details=_details(problem),
        reply_to=reply_to,
    )
    return dumps(frame)


def _details(problem: ClawError) -> dict[str, Any] | None:
    """The details of an error. A failure of ours has a `requestId`, which is in its line of the log
    too."""
    details = problem.details or {}
    if HTTP_STATUS.get(problem.code, 0) < 500 or "requestId" in details:
        return problem.details
    request_id = new_id("req")
    log.warning("a socket was answered %s (%s)", problem.code, request_id)
    return details | {"requestId": request_id}


def reconnect() -> bytes:
    """The server is going away; come back in a moment."""
    return dumps(frames.Reconnect(delay_ms=RECONNECT_MS))


def auth_ok(
    agent: AgentConfig, session_id: str, conversation_id: str | None, reply_to: str | int | None
) -> bytes:
    """The answer to `auth`."""
    frame = frames.AuthOk(
        agent_id=agent.id,
        agent_name=agent.name,
        protocol=1,
        session_id=session_id,
        heartbeat_ms=round(settings.CLAW_PING_INTERVAL * 1000),
        limits=frames.ConnectionLimits(
            messages_per_minute=settings.CLAW_MAX_MESSAGES_PER_MINUTE,
            message_bytes=settings.CLAW_MAX_MESSAGE_BYTES,
            idle_ms=round(settings.CLAW_IDLE_TIMEOUT * 1000),
        ),
        conversation_id=conversation_id,
        reply_to=reply_to,
    )
    return dumps(frame)
