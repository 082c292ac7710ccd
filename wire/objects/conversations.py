"""The objects of the REST API; messages are the same in history and in snapshots.

One definition each: the answers, the schema and the description of the API come from it."""

from typing import Annotated, Any, Literal

import msgspec

from engine.events import Approvers, DecidedBy, Pending, Source, Usage
from engine.transcript import MessageStatus, Problem, ToolUse
from wire.native.context import PageContext
from wire.parse import ClientId, Moment

DAY = 24 * 60 * 60
MAX_SHARED = 365 * DAY


class Feedback(msgspec.Struct, frozen=True, kw_only=True):
    """A reader's opinion of an answer. A `rating` of null takes it back."""

    rating: Literal["up", "down"] | None
    comment: Annotated[str, msgspec.Meta(max_length=2000)] | msgspec.UnsetType = msgspec.UNSET


class Rating(msgspec.Struct, frozen=True, kw_only=True):
    """A visitor's rating of a whole conversation, from 1 to 5. A `rating` of null takes it back."""

    rating: Annotated[int, msgspec.Meta(ge=1, le=5)] | None
    comment: Annotated[str, msgspec.Meta(max_length=2000)] | msgspec.UnsetType = msgspec.UNSET


class Attachment(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A file of a message, whose content is at `/api/files/{id}`."""

    id: str
    name: str
    media_type: str
    bytes: int


class Message(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A message of the history; a snapshot has the same object."""

    id: str
    role: Literal["user", "assistant"]
    content: str
    status: MessageStatus
    run_id: str | None
    usage: Usage | None
    stop_reason: str | None
    error: Problem | None
    tools: list[ToolUse]
    sources: list[Source]
    created_at: Moment
    thinking: str | msgspec.UnsetType = msgspec.UNSET
    client_message_id: str | msgspec.UnsetType = msgspec.UNSET
    feedback: Feedback | msgspec.UnsetType = msgspec.UNSET
    version: int | msgspec.UnsetType = msgspec.UNSET
    context: PageContext | msgspec.UnsetType = msgspec.UNSET
    attachments: list[Attachment] | msgspec.UnsetType = msgspec.UNSET


class MessagePage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Messages, oldest first; `next_cursor` is for `before` (or `after`, if that was asked)."""

    messages: list[Message]
    next_cursor: str | None


class Conversation(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A conversation. `id` is the name that its client gave it, if there is one.

    A reader of the whole organisation's conversations also gets `owner`, whose it is, with the id
    of the `visitor`; its own `id` where it is somebody else's; and until when it is shared."""

    id: str
    agent_id: str
    title: str
    created_at: Moment
    last_message_at: Moment
    owner: str | msgspec.UnsetType = msgspec.UNSET
    visitor: str | msgspec.UnsetType = msgspec.UNSET
    shared_until: Moment | msgspec.UnsetType = msgspec.UNSET
    rating: Rating | msgspec.UnsetType = msgspec.UNSET


class ConversationFields(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a conversation that a request may set. `id` is the client's name for a new
    one."""

    id: ClientId | None = None
    title: Annotated[str, msgspec.Meta(max_length=200)] | None = None


class ConversationPage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Conversations, the latest first."""

    conversations: list[Conversation]
    next_cursor: str | None


class NewShare(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """For how long anybody with the address may read a conversation."""

    expires_in_seconds: Annotated[int, msgspec.Meta(ge=1, le=MAX_SHARED)] = 7 * DAY


class Share(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The page of a shared conversation. Only the answer that made it has its `url`."""

    expires_at: Moment
    url: str | msgspec.UnsetType = msgspec.UNSET


class ConversationExport(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation with all of its messages, the oldest first."""

    conversation: Conversation
    messages: list[Message]


class PartialAnswer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The answer so far of a run that failed: the `details` of its error. `usage` is null for a
    visitor, unless the agent shows it."""

    run_id: str
    conversation_id: str
    message_id: str
    content: str
    usage: Usage | None


class ChatAnswer(PartialAnswer, frozen=True, kw_only=True, rename="camel"):
    """A whole answer; `usage` is null for a visitor, unless the agent shows it."""

    stop_reason: str


class WaitingRun(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A run that waits for somebody: `pending` says for what. It goes on once that is decided."""

    run_id: str
    conversation_id: str
    status: Literal["waiting"]
    pending: list[Pending]


class ApprovalRequest(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True
):
    """A tool call that waits, or has waited, for approval. `id` is unique in its run."""

    id: str
    run_id: str
    agent_id: str
    conversation_id: str
    tool: str
    args: dict[str, Any]
    args_digest: str
    status: Literal["pending", "approved", "denied", "expired", "withdrawn"]
    approvers: Approvers
    requested_at: Moment
    expires_at: Moment
    decided_by: DecidedBy | None = None
    reason: str | None = None


class ApprovalPage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Approvals, the newest first; `next_cursor` is for `before`. `waiting` is the number of those
    that can be decided now, at most 1000."""

    approvals: list[ApprovalRequest]
    waiting: int
    next_cursor: str | None


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """The reason why one of several decisions was not taken, as the error of a single one says."""

    code: str
    message: str


class ApprovalDecision(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What became of one of several decisions: the status of its approval, or why it was not
    taken."""

    run_id: str
    id: str
    status: Literal["approved", "denied"] | msgspec.UnsetType = msgspec.UNSET
    error: Refusal | msgspec.UnsetType = msgspec.UNSET


class ApprovalDecisions(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What became of each decision, in their order."""

    results: list[ApprovalDecision]


class Decided(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An answer or a result that was taken: its run goes on with it."""

    id: str
    run_id: str


class Run(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One answer and how far it is. A time is null until it has come. A visitor gets the model and
    its usage only if the agent shows them. `agent_version` is null for a run with the draft."""

    id: str
    status: Literal[
        "queued", "running", "waiting", "completed", "cancelled", "failed", "interrupted"
    ]
    agent_id: str
    agent_version: int | None
    conversation_id: str
    message_id: str
    provider: str | msgspec.UnsetType = msgspec.UNSET
    model: str | msgspec.UnsetType = msgspec.UNSET
    content: str
    usage: Usage | None
    error: Problem | None
    pending: list[Pending]
    last_seq: int
    created_at: Moment
    started_at: Moment | None
    first_token_at: Moment | None
    finished_at: Moment | None


class CancelledRun(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A run that was told to stop. Its end is an event."""

    id: str
    status: str


class CancelledRuns(msgspec.Struct, frozen=True, kw_only=True):
    """The runs that were told to stop."""

    cancelled: list[str]


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`code` is for programs, `message` for people. Quote `request_id` when you report it."""

    code: str
    message: str
    retry_after: int | msgspec.UnsetType = msgspec.UNSET
    details: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    request_id: str


class ErrorEnvelope(msgspec.Struct, frozen=True, kw_only=True):
    """Every error of the HTTP API. `retry_after` in milliseconds."""

    error: ErrorBody


class RetentionPreview(msgspec.Struct, frozen=True, kw_only=True):
    """What a retention of so many days would delete now, and when the oldest of it was begun."""

    days: int
    conversations: int
    messages: int
    oldest: Moment | None
