"""Rows of the database as objects of the API."""

from typing import Any

import msgspec
from django.utils import timezone
from msgspec import UNSET
from msgspec.structs import replace

from agents.auth.visitors import visitor_of
from conversations.models import Conversation, Decision, Message, Run, Share
from engine.events import DecidedBy, Source, Usage
from engine.transcript import MessageStatus, Problem, ToolUse, Transcript
from wire import frames
from wire.native import PageContext
from wire.objects import conversations as objects

UNFINISHED: dict[str, MessageStatus] = {"running": "streaming", "waiting": "waiting"}
"""The status of a message while its run has not ended: until then its row says `queued`."""


def render_message(row: Message, run_id: str | None) -> objects.Message:
    """A message, as its row says."""
    return objects.Message(
        id=row.public_id,
        role=row.role,
        content=row.content,
        status=row.status,
        run_id=run_id,
        usage=_usage(row.usage),
        stop_reason=row.stop_reason,
        error=_problem(row.error),
        tools=msgspec.convert(row.tools, list[ToolUse]),
        sources=msgspec.convert(row.sources, list[Source]),
        created_at=row.created_at,
        thinking=row.thinking or UNSET,
        client_message_id=row.client_message_id or UNSET,
        feedback=_feedback(row),
        version=row.version if row.version > 1 else UNSET,
        context=msgspec.convert(row.context, PageContext) if row.context else UNSET,
        attachments=_attachments(row) or UNSET,
    )


def _attachments(row: Message) -> list[objects.Attachment]:
    return msgspec.convert(row.attachments, list[objects.Attachment])


def render_current_message(row: Message) -> objects.Message:
    """A message with the run that answers it, or that writes it, and with that run's status."""
    writer: Run | None = getattr(row, "run", None)
    asked: Run | None = row.joined.run if row.joined else getattr(row, "asked", None)
    run = writer or asked
    message = render_message(row, run.pk if run else None)
    status = UNFINISHED.get(writer.shown_status) if writer else None
    return replace(message, status=status) if status else message


def render_conversation(row: Conversation) -> objects.Conversation:
    """A conversation without its messages."""
    return objects.Conversation(
        id=row.public_id,
        agent_id=row.agent_id,
        title=row.title,
        created_at=row.created_at,
        last_message_at=row.last_message_at,
        rating=_rating(row),
    )


def render_readable(row: Conversation, owner: str) -> objects.Conversation:
    """A conversation of the organisation for this reader of all of them, who is the `owner` of
    some. Its share is loaded with it."""
    share: Share | None = getattr(row, "share", None)
    if share is not None and share.expires_at <= timezone.now():
        share = None
    return replace(
        render_conversation(row),
        id=row.public_id if row.owner == owner else row.pk,
        owner=row.owner,
        visitor=visitor_of(row.owner) or UNSET,
        shared_until=share.expires_at if share is not None else UNSET,
    )


def render_run(row: Run, transcript: Transcript | None) -> objects.Run:
    """A run. `transcript` is its fold so far; None once the row has everything."""
    return objects.Run(
        id=row.pk,
        status="waiting" if transcript and transcript.waiting else row.shown_status,
        agent_id=row.agent_id,
        agent_version=row.config.get("version") or None,
        conversation_id=row.conversation.public_id,
        message_id=row.message.public_id,
        provider=row.provider,
        model=row.model,
        content=str(transcript.text) if transcript else row.message.content,
        usage=_usage(row.usage),
        error=_problem(row.error),
        pending=list(transcript.pending) if transcript else [],
        last_seq=transcript.last_seq if transcript else row.last_seq,
        created_at=row.created_at,
        started_at=row.started_at,
        first_token_at=row.first_token_at,
        finished_at=row.finished_at,
    )


def render_approval(row: Decision) -> objects.ApprovalRequest:
    """An approval. Its run is loaded with its conversation."""
    return objects.ApprovalRequest(
        id=row.call_id,
        run_id=row.run_id,
        agent_id=row.run.agent_id,
        conversation_id=row.run.conversation.public_id,
        tool=row.tool,
        args=row.args,
        args_digest=row.digest,
        status=row.status,
        approvers=row.approvers,
        requested_at=row.requested_at,
        expires_at=row.expires_at,
        decided_by=msgspec.convert(row.decided_by, DecidedBy) if row.decided_by else None,
        reason=row.reason or None,
    )


def render_snapshot(row: Run) -> frames.Snapshot:
    """The snapshot of a run whose log is no longer kept."""
    return frames.Snapshot(
        run_id=row.pk,
        conversation_id=row.conversation.public_id,
        message_id=row.message.public_id,
        last_seq=row.last_seq,
        status=row.message.status,
        next_index=0,
        pending=[],
        message=render_message(row.message, row.pk),
    )


def _usage(stored: Any) -> Usage | None:
    return None if stored is None else msgspec.convert(stored, Usage)


def _problem(stored: Any) -> Problem | None:
    return None if stored is None else msgspec.convert(stored, Problem)


def _rating(row: Conversation) -> objects.Rating | msgspec.UnsetType:
    if not row.rating:
        return UNSET
    return objects.Rating(rating=row.rating, comment=row.comment or UNSET)


def _feedback(row: Message) -> objects.Feedback | msgspec.UnsetType:
    if not row.rating:
        return UNSET
    return objects.Feedback(rating=row.rating, comment=row.comment or UNSET)
