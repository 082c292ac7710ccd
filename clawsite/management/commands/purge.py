"""`manage.py purge [--conversations 365d] [--json]`"""

from datetime import timedelta
from typing import Any

from django.contrib.sessions.models import Session
from django.core.management.base import CommandParser
from django.db import transaction
from django.utils import timezone

from accounts import idempotency
from accounts.commands import Result, ResultCommand, duration
from agents import tickets
from conversations.models import FINAL, Conversation, Run

AT_ONCE = 100  # conversations in a transaction: nobody waits long for the database


class Command(ResultCommand):
    """Run it daily; a server may run meanwhile. Event logs expire by themselves."""

    help = "Delete what has expired and, with --conversations, what nobody has used for long."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--conversations",
            type=duration,
            metavar="365d",
            help="also those without a message for this long: a number and s, m, h, d or w",
        )

    def result(self, *, conversations: timedelta | None, **options: Any) -> Result:
        """`{requests, sessions, tickets, conversations}`: how many are gone."""
        data = {
            "requests": idempotency.purge(),
            "sessions": Session.objects.filter(expire_date__lt=timezone.now()).delete()[0],
            "tickets": tickets.purge(),
            "conversations": _unused(conversations) if conversations else 0,
        }
        return Result(data, ", ".join(f"{count} {name}" for name, count in data.items()) + " gone")


def _unused(age: timedelta) -> int:
    """Delete the conversations of this age, with all that is in them; returns how many."""
    old = Conversation.objects.filter(last_message_at__lt=timezone.now() - age)
    ids = list(old.values_list("pk", flat=True))
    return sum(_delete(ids[at : at + AT_ONCE]) for at in range(0, len(ids), AT_ONCE))


@transaction.atomic
def _delete(ids: list[str]) -> int:
    """Those of them in which nothing happens. A new message has to wait for the lock, and then
    finds no conversation."""
    locked = list(Conversation.objects.select_for_update().filter(pk__in=ids))
    busy = Run.objects.filter(conversation__in=locked).exclude(status__in=FINAL)
    unused = Conversation.objects.filter(pk__in=ids).exclude(pk__in=busy.values("conversation"))
    return unused.delete()[1].get("conversations.Conversation", 0)
