"""Messages as clients see them, from their rows."""

from typing import Any

from accounts.http import Page
from agents.caller import Caller
from conversations import access
from conversations.models import Conversation, Message, MessageStatus, Run, RunStatus
from engine.errors import ClawError
from engine.visibility import Visibility

LIVE = {RunStatus.RUNNING: MessageStatus.STREAMING, RunStatus.WAITING: MessageStatus.WAITING}


def message_object(message: Message, run_id: str | None) -> dict[str, Any]:
    """One message; the same object as the fold of its run (`engine.transcript`)."""
    said: dict[str, Any] = {
        "id": message.public_id,
        "role": message.role,
        "content": message.content,
        "status": message.status,
        "runId": run_id,
        "usage": message.usage,
        "stopReason": message.stop_reason,
        "error": message.error,
        "tools": message.tools,
        "sources": [],
        "createdAt": message.created_at.isoformat(),
    }
    if message.thinking:
        said["thinking"] = message.thinking
    if message.client_message_id:
        said["clientMessageId"] = message.client_message_id
    if message.rating:
        comment = {"comment": message.comment} if message.comment else {}
        said["feedback"] = {"rating": message.rating, **comment}
    return said


def read_messages(
    caller: Caller, conversation_id: str, page: Page, visibility: Visibility
) -> dict[str, Any]:
    """`{messages, nextCursor}`, oldest first. Without a cursor the newest ones. Synchronous.

    Raises `conversation_not_found`, `message_not_found` for a cursor that is not in it."""
    conversation = access.conversation(caller, conversation_id)
    rows = access.messages(conversation).filter(replaced=False)
    if page.after is not None:
        rows = rows.filter(id__gt=_position(conversation, page.after)).order_by("id")
    else:
        if page.before is not None:
            rows = rows.filter(id__lt=_position(conversation, page.before))
        rows = rows.order_by("-id")
    found = list(rows[: page.limit + 1])
    more, found = len(found) > page.limit, found[: page.limit]
    if page.after is None:
        found.reverse()
    cursor = (found[-1] if page.after is not None else found[0]).public_id if more else None
    return {
        "messages": [visibility.message(shown(row)) for row in found],
        "nextCursor": cursor,
    }


def conversation_object(conversation: Conversation) -> dict[str, Any]:
    """A conversation without its messages."""
    return {
        "id": conversation.public_id,
        "agentId": conversation.agent_id,
        "title": conversation.title,
        "createdAt": conversation.created_at.isoformat(),
        "lastMessageAt": conversation.last_message_at.isoformat(),
    }


def _position(conversation: Conversation, public_id: str) -> int:
    rows = access.messages(conversation).filter(public_id=public_id)
    found = None if access.impossible(public_id) else rows.first()
    if found is None:
        raise ClawError("message_not_found", "There is no such message in this conversation.")
    return found.id


def shown(message: Message) -> dict[str, Any]:
    """With the run that answers a user's message, or that writes an assistant's: the row of what
    is being written is only touched at the end, so the run knows how far it is."""
    writer: Run | None = getattr(message, "run", None)
    run: Run | None = writer or getattr(message, "asked", None)
    said = message_object(message, run.pk if run else None)
    if writer is not None:
        said["status"] = LIVE.get(RunStatus(writer.status), message.status)
    return said
