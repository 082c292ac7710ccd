"""The messages of a conversation, a page at a time."""

from typing import Any

from django.db.models import Func, IntegerField, QuerySet, TextField
from django.db.models.functions import Cast

from agents.caller import Caller
from conversations import access, models
from conversations.models import Conversation
from conversations.rendering import render_current_message
from core.http import MAX_LIMIT, Page
from engine.errors import ClawError
from wire.objects.conversations import Message, MessagePage
from wire.visibility import Visibility

MAX_PAGE_BYTES = 1024 * 1024
"""Text of one page of history; a message that is larger alone has a page of its own."""


class Octets(Func):
    """Bytes of a text."""

    function = "OCTET_LENGTH"
    output_field = IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Before 3.43 it has no function of this name."""
        template = "LENGTH(CAST(%(expressions)s AS BLOB))"
        return self.as_sql(compiler, connection, template=template, **context)


STORED = Octets(Cast("tools", TextField())) + Octets(Cast("sources", TextField()))
SIZE = Octets("content") + Octets("thinking") + STORED


def read_messages(
    caller: Caller, conversation_id: str, page: Page, visibility: Visibility
) -> MessagePage:
    """A page, oldest first; without a cursor the newest messages. A page ends early when it holds
    `MAX_PAGE_BYTES`. Synchronous.

    Raises `conversation_not_found`, `message_not_found` for a cursor that is not in it."""
    return page_of_messages(access.conversation(caller, conversation_id), page, visibility)


def page_of_messages(conversation: Conversation, page: Page, visibility: Visibility) -> MessagePage:
    """The same as `read_messages`, of a conversation that was found."""
    rows = access.messages(conversation).filter(replaced=False)
    return _page(conversation, rows, page, visibility)


def read_versions(
    caller: Caller, message_id: str, page: Page, visibility: Visibility
) -> MessagePage:
    """The versions of a user's message, each with its answer, as a page of messages. Synchronous.

    Raises `message_not_found`."""
    message = access.question(caller, message_id)
    return _page(message.conversation, access.versions(message), page, visibility)


def _page(
    conversation: Conversation, rows: QuerySet[Message], page: Page, visibility: Visibility
) -> MessagePage:
    if page.after is not None:
        rows = rows.filter(id__gt=_position(conversation, page.after)).order_by("id")
    else:
        if page.before is not None:
            rows = rows.filter(id__lt=_position(conversation, page.before))
        rows = rows.order_by("-id")
    found, more = _fitting(rows, page.limit)
    if page.after is None:
        found.reverse()
    cursor = (found[-1] if page.after is not None else found[0]).public_id if more else None
    return MessagePage(
        messages=[visibility.message(render_current_message(row)) for row in found],
        next_cursor=cursor,
    )


def next_messages(
    conversation: Conversation, position: int, visibility: Visibility, until: int | None = None
) -> tuple[list[Message], int | None]:
    """The messages after a position (0: the first ones) and no later than `until`, and the position
    to go on from. Both are keys of messages. Synchronous."""
    rows = access.messages(conversation).filter(replaced=False, id__gt=position)
    if until is not None:
        rows = rows.filter(id__lte=until)
    found, more = _fitting(rows.order_by("id"), MAX_LIMIT)
    shown = [visibility.message(render_current_message(row)) for row in found]
    return shown, found[-1].pk if more else None


def _fitting(rows: QuerySet[models.Message], limit: int) -> tuple[list[models.Message], bool]:
    """The first `limit` rows, or as many as fit a page (at least one), and whether there are more.

    Their sizes are asked first: a row may have megabytes."""
    sizes = list(rows.values_list("pk", SIZE)[: limit + 1])
    keys: list[int] = []
    left = MAX_PAGE_BYTES
    for pk, size in sizes[:limit]:
        left -= size
        if left < 0 and keys:
            break
        keys.append(pk)
    return list(rows.filter(pk__in=keys).defer("steps")), len(keys) < len(sizes)


def _position(conversation: Conversation, public_id: str) -> int:
    rows = access.messages(conversation).filter(public_id=public_id)
    found = None if access.impossible(public_id) else rows.first()
    if found is None:
        raise ClawError("message_not_found", "There is no such message in this conversation.")
    return found.id
