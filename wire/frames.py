"""The frames that a server sends on a WebSocket beside the events of runs.

The JSON and its schema come from the same definition."""

from typing import Any, Literal, TypeAlias

import msgspec

from engine.events import Pending
from engine.transcript import MessageStatus
from wire.objects.conversations import Message


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
    """The limits of one connection. It is closed after `idle_ms` without messages and runs."""

    messages_per_minute: int
    message_bytes: int
    idle_ms: int


class AuthOk(ServerFrame, tag="auth_ok", frozen=True, kw_only=True):
    """The answer to `auth`: the agent, and what this connection may do."""

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
    """Keeps proxies from closing a silent connection. It needs no answer."""


class Reconnect(ServerFrame, tag="reconnect", frozen=True, kw_only=True):
    """The server is about to close the connection. Come back after `delay_ms`."""

    delay_ms: int


class Error(ServerFrame, tag="error", frozen=True, kw_only=True):
    """An error of a frame or of the connection. An `error` with a `runId` is the outcome of a
    run."""

    code: str
    message: str
    retry_after: int | None = None
    details: dict[str, Any] | None = None


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """The latest `status` of a run that goes on."""

    message: str
    stage: str


class Snapshot(ServerFrame, tag="snapshot", frozen=True, kw_only=True):
    """A run so far. The events that follow have a `seq` above `last_seq`."""

    run_id: str
    conversation_id: str
    message_id: str
    last_seq: int
    status: MessageStatus
    next_index: int
    pending: list[Pending]
    message: Message
    progress: Progress | None = None


AnyFrame: TypeAlias = AuthOk | Subscribed | Pong | Ping | Reconnect | Error | Snapshot
