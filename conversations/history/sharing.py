"""A conversation on a page that anybody with its address may read, for a while.

It ends with what was the last message when it was shared: nothing that is said later is on it."""

import hashlib
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from agents.caller import Caller
from auditing.recording import record
from conversations.history import access
from conversations.models import Conversation, Share
from core.http import utc
from engine.errors import ClawError
from engine.ids import base62

TOKEN_LENGTH = 32  # 190 bits


@transaction.atomic
def share(caller: Caller, conversation_id: str, seconds: int) -> tuple[Share, str]:
    """Share a conversation for so long, in place of an earlier page. Returns the row, and the token
    of its address, which nobody can show again. Synchronous.

    Raises `forbidden`, `conversation_not_found`."""
    conversation = access.readable_conversation(_sharer(caller), conversation_id)
    token = base62(TOKEN_LENGTH)
    row = access.store_share(
        conversation,
        digest=_digest(token),
        until=access.last_position(conversation),
        expires_at=timezone.now() + timedelta(seconds=seconds),
        created_at=timezone.now(),
    )
    _record("shared", conversation, {"expires_at": utc(row.expires_at)})
    return row, token


@transaction.atomic
def withdraw(caller: Caller, conversation_id: str) -> None:
    """Let nobody read the shared page any more. Synchronous. Raises what `share` raises."""
    conversation = access.readable_conversation(_sharer(caller), conversation_id)
    if access.erase_share(conversation):
        _record("unshared", conversation, None)


def shared(token: str) -> Share | None:
    """The page of this token with its conversation, unless it is over or withdrawn. Synchronous."""
    return access.share_with(_digest(token))


def _record(verb: str, conversation: Conversation, after: dict[str, Any] | None) -> None:
    """Keeps in the audit log what was done, without a word of what was said."""
    record(
        conversation.organization_id,
        f"conversation.{verb}",
        subject_id=conversation.pk,
        after=after,
    )


def _sharer(caller: Caller) -> Caller:
    """The caller, who may publish: a visitor's page may not."""
    caller.principal.require("conversations:write")
    if not caller.principal.trusted:
        raise ClawError("forbidden", "A visitor shares no conversations.")
    return caller


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
