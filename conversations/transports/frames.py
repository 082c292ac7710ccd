"""The frames that a socket sends about itself, from what the product knows."""

from typing import Any

from django.conf import settings

from agents.caller import AgentConfig
from conversations.metrics import observe_error
from engine.errors import ClawError
from wire import frames
from wire.parse import dumps

PING = dumps(frames.Ping())
RECONNECT_MS = 1000


def error(problem: ClawError, reply_to: str | int | None = None) -> bytes:
    """What is wrong with a frame or the connection."""
    observe_error(problem.code)
    frame = frames.Error(
        code=problem.code,
        message=problem.message,
        retry_after=problem.retry_after,
        details=problem.details,
        reply_to=reply_to,
    )
    return dumps(frame)


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


def snapshot(run_so_far: dict[str, Any], reply_to: str | int | None) -> bytes:
    """The `snapshot` frame."""
    return dumps(run_so_far if reply_to is None else run_so_far | {"replyTo": reply_to})
