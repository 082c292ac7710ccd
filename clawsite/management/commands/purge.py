"""`manage.py purge [--conversations 365d] [--json]`"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.contrib.sessions.models import Session
from django.core.management.base import CommandParser
from django.db import transaction
from django.utils import timezone

from accounts import idempotency
from accounts.access import purge_invitations
from agents.auth import tickets
from conversations.access import erasing
from conversations.history.access import purge_shares
from conversations.history.search.search import forget_deleted
from conversations.models import NOBODY, UNFINISHED, Conversation, Run
from conversations.usage import spending
from core.commands import Result, ResultCommand, duration

AT_ONCE = 100  # rows in a transaction: nobody waits long for the database


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
            "requests": sum(iter(idempotency.purge, 0)),
            "sessions": sum(iter(_sessions, 0)),
            "tickets": sum(iter(tickets.purge, 0)),
            "conversations": _unused(conversations) if conversations else erasing.finish(),
        }
        forget_deleted()
        spending.purge()
        purge_shares()
        purge_invitations()
        return Result(data, ", ".join(f"{count} {name}" for name, count in data.items()) + " gone")


def _unused(age: timedelta) -> int:
    """Delete the conversations of this age, with all that is in them; returns how many."""
    old = Conversation.objects.filter(last_message_at__lt=timezone.now() - age)
    ids = old.exclude(owner=NOBODY).order_by("pk").values_list("pk", flat=True)
    last = ""
    while some := list(ids.filter(pk__gt=last)[:AT_ONCE]):
        _hide(some)
        last = some[-1]
    return erasing.finish()


def _sessions() -> int:
    """Delete some that have expired; returns how many, 0 once there are none left."""
    old = Session.objects.filter(expire_date__lt=timezone.now())
    return Session.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:AT_ONCE])).delete()[
        0
    ]


@transaction.atomic
def _hide(ids: Sequence[str]) -> None:
    """Those of them in which nothing happens. A new message has to wait for the lock, and then
    finds no conversation."""
    locked = list(Conversation.objects.select_for_update().filter(pk__in=ids).order_by("pk"))
    busy = Run.objects.filter(UNFINISHED, conversation__in=locked)
    unused = Conversation.objects.filter(pk__in=ids).exclude(pk__in=busy.values("conversation"))
    erasing.hide(unused)
