"""The conversations that a caller may read; their search, and the pages that share them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from agents.auth.visitors import owner_of
from agents.caller import Caller
from agents.principal import Kind, Principal
from conversations import access as own
from conversations.history.search.search import said
from conversations.history.search.terms import MAX_TERMS
from conversations.models import NOBODY, Conversation, Message, Share
from engine.errors import ClawError

MAX_QUERY = 200
WHO = {"visitor": "visitor:", "user": "user:", "key": "keys", "member": "member:"}
"""How the owner of a conversation begins, by the kind of who asked."""


@dataclass(frozen=True, kw_only=True)
class Search:
    """The conditions of a search: words (or beginnings of words) of one of its messages or of its
    title, or its id; the visitor, the kind of who asks (a key of `WHO`), and days (UTC) between
    which it was going on."""

    q: str = ""
    visitor: str = ""
    by: str = ""
    first: date | None = None
    last: date | None = None


def reads_everything(principal: Principal) -> bool:
    """Whether the principal reads the conversations of the whole organisation: a member, or a key
    with the scope `admin`. Other keys read what was asked with keys, visitors what they asked."""
    return principal.kind is Kind.MEMBER or "admin" in principal.scopes


def readable(caller: Caller) -> QuerySet[Conversation]:
    """The conversations that the caller reads, of all agents or of the one named, without those
    that agents have with each other."""
    if not reads_everything(caller.principal):
        return own.conversations(caller).filter(parent=None)
    rows = _of_organization(caller).filter(parent=None)
    return rows if caller.agent is None else rows.filter(agent=caller.agent.id)


def readable_conversation(caller: Caller, public_id: str) -> Conversation:
    """One of the caller's own conversations or, for who reads everything, any of the organisation
    by its own id. Raises what `conversations.access.conversation` raises."""
    return _own_or_any(caller, public_id, reads_everything(caller.principal))


def conversation_to_erase(caller: Caller, public_id: str) -> Conversation:
    """One of the caller's own conversations or, with the scope `admin`, any of the organisation.
    Raises what `conversations.access.conversation` raises."""
    return _own_or_any(caller, public_id, "admin" in caller.principal.scopes)


def conversation_of_organization(caller: Caller, public_id: str) -> Conversation:
    """One conversation of the caller's organisation, whosever it is. Raises `forbidden` for who
    reads no others' conversations, and `conversation_not_found`."""
    if not reads_everything(caller.principal):
        caller.principal.require("admin")
    rows = _of_organization(caller).filter(pk=public_id)
    found = None if own.impossible(public_id) else rows.first()
    if found is None:
        raise ClawError("conversation_not_found", "There is no such conversation.")
    return found


def found(rows: QuerySet[Conversation], search: Search) -> QuerySet[Conversation]:
    """Those of these conversations that fit."""
    if search.q:
        rows = rows.filter(_fitting(search.q))
    if search.visitor:
        rows = rows.filter(owner=owner_of(search.visitor))
    if search.by:
        rows = rows.filter(owner__startswith=WHO[search.by])
    if search.first:
        rows = rows.filter(last_message_at__gte=_midnight(search.first))
    if search.last:
        rows = rows.filter(created_at__lt=_midnight(search.last + timedelta(days=1)))
    return rows


def share_of(conversation: Conversation) -> Share | None:
    """The page on which anybody may read this conversation, unless it is over."""
    return Share.objects.filter(conversation=conversation, expires_at__gt=timezone.now()).first()


def store_share(conversation: Conversation, **fields: object) -> Share:
    """Let a conversation be read on a page, in place of an earlier one."""
    row, _ = Share.objects.update_or_create(conversation=conversation, defaults=fields)
    return row


def erase_share(conversation: Conversation) -> bool:
    """Let the page of a conversation be found no more; returns whether there was one."""
    return bool(Share.objects.filter(conversation=conversation).delete()[0])


def share_with(digest: str) -> Share | None:
    """The page whose address has this digest, unless it is over, with its conversation."""
    rows = Share.objects.filter(digest=digest, expires_at__gt=timezone.now())
    return rows.select_related("conversation__agent").first()


def last_position(conversation: Conversation) -> int:
    """The key of the conversation's last message, 0 if it has none."""
    last = Message.objects.filter(conversation=conversation).order_by("-id").first()
    return last.id if last else 0


def purge_shares() -> None:
    """Delete the pages that are over."""
    Share.objects.filter(expires_at__lte=timezone.now()).delete()


def _own_or_any(caller: Caller, public_id: str, any_of_organization: bool) -> Conversation:
    try:
        return own.conversation(caller, public_id)
    except ClawError:
        if not any_of_organization:
            raise
    return conversation_of_organization(caller, public_id)


def _of_organization(caller: Caller) -> QuerySet[Conversation]:
    """Without those that are being erased."""
    rows = Conversation.objects.filter(organization=caller.principal.organization_id)
    return rows.exclude(owner=NOBODY)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _fitting(q: str) -> Q:
    q = q[:MAX_QUERY].replace("\0", " ").strip()  # PostgreSQL refuses to look for a NUL
    titled = Q()
    for word in q.split()[:MAX_TERMS]:
        titled &= Q(title__icontains=word)
    return Q(id=q) | titled | said(q)
