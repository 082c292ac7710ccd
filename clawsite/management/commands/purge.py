"""`manage.py purge [--conversations 365d] [--json]`"""

from datetime import timedelta
from typing import Any

from django.contrib.sessions.models import Session
from django.core.management.base import CommandParser
from django.utils import timezone

from accounts import idempotency
from accounts.access import purge_invitations
from agents.auth import tickets
from conversations.access import erasing
from conversations.access.retention import hide_expired, hide_unused, unused
from conversations.history.access import purge_shares
from conversations.history.search.search import forget_deleted
from conversations.usage import spending
from core.commands import Result, ResultCommand, duration

AT_ONCE = 100  # rows in a transaction: nobody waits long for the database


class Command(ResultCommand):
    """Run it daily; a server may run meanwhile. Event logs expire by themselves."""

    help = (
        "Delete what has expired, what organisations keep no longer and, with --conversations, what"
        " nobody has used for long."
    )

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
        if conversations:
            hide_unused(conversations, unused(conversations))
        hide_expired()
        data = {
            "requests": sum(iter(idempotency.purge, 0)),
            "sessions": sum(iter(_sessions, 0)),
            "tickets": sum(iter(tickets.purge, 0)),
            "conversations": erasing.finish(),
        }
        forget_deleted()
        spending.purge()
        purge_shares()
        purge_invitations()
        return Result(data, ", ".join(f"{count} {name}" for name, count in data.items()) + " gone")


def _sessions() -> int:
    """Delete some that have expired; returns how many, 0 once there are none left."""
    old = Session.objects.filter(expire_date__lt=timezone.now())
    return Session.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:AT_ONCE])).delete()[
        0
    ]
