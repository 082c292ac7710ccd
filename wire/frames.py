"""What the server says on a WebSocket besides the events of a run.

One definition each, from which the JSON and its schema come."""

from typing import Any, Literal, TypeAlias

import msgspec

from wire.objects import Message, MessageStatus


class ServerFrame(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag_field="type",
    rename="camel",
    omit_defaults=True,
):
    """`reply_to` is the `id` of the frame that this one answers."""

    reply_to: str | int | None = None


class ConnectionLimits(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What one connection may do. `idle_ms`: without messages and runs it is closed after this."""

    messages_per_minute: int
    message_bytes: int
    idle_ms: int


class AuthOk(ServerFrame, tag="auth_ok", frozen=True, kw_only=True):
    """The answer to `auth`: whom one talks to, and what this connection may do."""

    agent_id: str
    agent_name: str
    protocol: Literal[1]
    session_id: str
    heartbeat_ms: int
    limits: ConnectionLimits
    conversation_id: str | None = None


class Subscribed(ServerFrame, tag="subscribed", frozen=True, kw_only=True):
    """The answer to `subscribe`."""

    conversation_id: str
    active_run_id: str | None = None


class Pong(ServerFrame, tag="pong", frozen=True, kw_only=True):
    """The answer to the client's `ping`."""


class Ping(ServerFrame, tag="ping", frozen=True, kw_only=True):
    """Keeps proxies awake; nobody is cut for not answering it."""


class Reconnect(ServerFrame, tag="reconnect", frozen=True, kw_only=True):
    """The server is going away; come back after so many milliseconds."""

    delay_ms: int


class Error(ServerFrame, tag="error", frozen=True, kw_only=True):
    """About a frame or the connection. An `error` with a `runId` is an event: a run's outcome."""

    code: str
    message: str
    retry_after: int | None = None
    details: dict[str, Any] | None = None


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """The latest `status` of a run that goes on."""

    message: str
    stage: str


class Snapshot(ServerFrame, tag="snapshot", frozen=True, kw_only=True):
    """A run so far. What follows has a `seq` above `last_seq`."""

    run_id: str
    conversation_id: str
    message_id: str
    last_seq: int
    status: MessageStatus
    next_index: int
    pending: list[dict[str, Any]]
    message: Message
    progress: Progress | None = None


AnyFrame: TypeAlias = AuthOk | Subscribed | Pong | Ping | Reconnect | Error | Snapshot
