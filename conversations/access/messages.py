"""Rows of messages."""

from django.db.models import Q, QuerySet

from agents.caller import Caller
from conversations.access.conversations import conversations
from conversations.access.scope import impossible
from conversations.models import Conversation, Message, Run
from engine.errors import ClawError

MAX_VERSIONS = 50
"""Of one message, each with its answer."""
MAX_EDITED = 1000
"""Edited messages of a conversation among which the versions of one are looked for."""


def messages(conversation: Conversation) -> QuerySet[Message]:
    """The messages of a conversation that the caller was given above."""
    rows = Message.objects.filter(conversation=conversation)
    return rows.select_related("run", "asked", "joined__run")


def question(caller: Caller, public_id: str) -> Message:
    """One message of a user that is still in a history of the caller's. Raises
    `message_not_found`."""
    return _message(caller, public_id, role="user", replaced=False)


def answer(caller: Caller, public_id: str) -> Message:
    """One answer in a conversation of the caller's: earlier versions count too. Raises
    `message_not_found`."""
    return _message(caller, public_id, role="assistant")


def _message(caller: Caller, public_id: str, **chosen: object) -> Message:
    rows = Message.objects.filter(conversation__in=conversations(caller), public_id=public_id)
    related = rows.filter(**chosen).select_related("conversation", "run", "asked")
    found = None if impossible(public_id) else related.first()
    if found is None:
        raise ClawError("message_not_found", "There is no such message.")
    return found


def versions(message: Message) -> QuerySet[Message]:
    """A user's message, those in whose place it came, and the answers to all of them. Of its
    versions the newest `MAX_VERSIONS`."""
    said = Message.objects.filter(conversation=message.conversation_id, id__lte=message.pk)
    edited = said.exclude(replaces=None).order_by("-id").values_list("public_id", "replaces")
    earlier = dict(edited[:MAX_EDITED])
    names = [message.public_id]
    while len(names) < MAX_VERSIONS and (before := earlier.get(names[-1])):
        names.append(before)
    asked = said.filter(public_id__in=names).values("pk")
    mine = Message.objects.filter(Q(pk__in=asked) | Q(run__user_message__in=asked))
    return mine.select_related("run", "asked")


def replace_message(message: Message) -> None:
    """Take a message, and all that follows it in its conversation, out of the history.

    Raises `message_not_found` if somebody was faster."""
    if not Message.objects.filter(pk=message.pk, replaced=False).update(replaced=True):
        raise ClawError("message_not_found", "This message has been replaced already.")
    Message.objects.filter(conversation=message.conversation_id, id__gt=message.pk).update(
        replaced=True
    )


def texts_up_to(run: Run, at_most: int) -> list[Message] | None:
    """The newest messages of a run's conversation that it had seen and its answer, oldest first, if
    others follow them; None if nothing follows."""
    standing = Message.objects.filter(conversation=run.conversation_id, replaced=False)
    if not standing.filter(id__gt=run.message_id).exists():
        return None
    seen = standing.filter(id__lte=run.message_id).order_by("-id")[:at_most]
    return list(reversed(seen))
