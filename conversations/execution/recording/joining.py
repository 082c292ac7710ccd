"""Messages that join a run which is at work, instead of waiting for one of their own.

Such a message is stored with a run of its own, which is in line. Once it has joined, that run has
ended without an answer; until then nothing is lost if the other run ends first.
"""

from collections.abc import Iterable

from django.db.models import Subquery

from conversations.models import UNFINISHED, Message, Run, RunStatus


def waiting_to_join(run: Run) -> list[Run]:
    """The runs whose messages wait to join this one, or have joined it, the oldest first.
    Synchronous."""
    in_line = Run.objects.filter(
        UNFINISHED, conversation=run.conversation_id, status=RunStatus.QUEUED, steers=True
    )
    joined = Run.objects.filter(user_message__joined=run.message_id)
    found: list[Run] = []
    for rows in (joined, in_line):
        found += rows.select_related("conversation", "message", "user_message")
    return sorted(found, key=lambda row: row.user_message_id)


def join(joined: Iterable[tuple[Run, str]]) -> None:
    """Note that the message of each run has joined another run, named by its id. The empty answer
    of its own run leaves the history. Synchronous, in the transaction that ends these runs."""
    for run, other in joined:
        answer = Message.objects.filter(run=other).values("pk")
        Message.objects.filter(pk=run.user_message_id).update(joined=Subquery(answer))
        Message.objects.filter(pk=run.message_id).update(replaced=True)


def joined_run(run: Run) -> str | None:
    """The run that the message of this one has joined, if it has. Synchronous."""
    rows = Message.objects.filter(pk=run.user_message_id)
    return rows.values_list("joined__run", flat=True).first()
