"""The objects of the REST API; messages are the same in history, snapshots and folds.

One definition each, from which the schema and the API's description come."""

from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from engine.events import Usage
from wire.parse import ClientId


class ToolUse(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A tool call as history shows it; without `is_error` it has no result yet."""

    id: str
    tool: str
    args: dict[str, Any]
    result: Any = None
    is_error: bool | None = None
    duration_ms: int | None = None


class Problem(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Why a run failed."""

    code: str
    message: str
    retryable: bool
    retry_after: int | None = None


MessageStatus: TypeAlias = Literal[
    "queued", "streaming", "waiting", "completed", "cancelled", "failed", "interrupted"
]


class Feedback(msgspec.Struct, frozen=True, kw_only=True):
    """What the reader thinks of an answer; a `rating` of null takes it back."""

    rating: Literal["up", "down"] | None
    comment: Annotated[str, msgspec.Meta(max_length=2000)] | msgspec.UnsetType = msgspec.UNSET


class Message(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A message of the history; the fold of a run's events is the same object."""

    id: str
    role: Literal["user", "assistant"]
    content: str
    status: MessageStatus
    run_id: str | None
    usage: Usage | None
    stop_reason: str | None
    error: Problem | None
    tools: list[ToolUse]
    sources: list[dict[str, Any]]
    created_at: str
    thinking: str | msgspec.UnsetType = msgspec.UNSET
    client_message_id: str | msgspec.UnsetType = msgspec.UNSET
    feedback: Feedback | msgspec.UnsetType = msgspec.UNSET


class MessagePage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Messages, oldest first; `next_cursor` is for `before` (or `after`, if that was asked)."""

    messages: list[Message]
    next_cursor: str | None


class Conversation(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A conversation; `id` is the name that its client gave it, if it did."""

    id: str
    agent_id: str
    title: str
    created_at: str
    last_message_at: str


class ConversationFields(msgspec.Struct, frozen=True, kw_only=True):
    """What may be said of a conversation; `id` is a name of the client's own, for a new one."""

    id: ClientId | None = None
    title: Annotated[str, msgspec.Meta(max_length=200)] | None = None


class ConversationPage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Conversations, the latest first."""

    conversations: list[Conversation]
    next_cursor: str | None


class ChatAnswer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A whole answer."""

    run_id: str
    conversation_id: str
    message_id: str
    content: str
    usage: Usage
    stop_reason: str


class Run(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One answer and how far it is; times are null until they have come."""

    id: str
    status: Literal[
        "queued", "running", "waiting", "completed", "cancelled", "failed", "interrupted"
    ]
    agent_id: str
    conversation_id: str
    message_id: str
    provider: str
    model: str
    content: str
    usage: Usage | None
    error: Problem | None
    last_seq: int
    created_at: str
    started_at: str | None
    first_token_at: str | None
    finished_at: str | None


class CancelledRun(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The run has been told; its end is an event."""

    id: str
    status: str


class CancelledRuns(msgspec.Struct, frozen=True, kw_only=True):
    """The runs that have been told."""

    cancelled: list[str]


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`code` is for programs, `message` for people; `request_id` for whoever reports it."""

    code: str
    message: str
    request_id: str
    retry_after: int | msgspec.UnsetType = msgspec.UNSET
    details: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


class ErrorEnvelope(msgspec.Struct, frozen=True, kw_only=True):
    """Every error of the HTTP API. `retry_after` in milliseconds."""

    error: ErrorBody
