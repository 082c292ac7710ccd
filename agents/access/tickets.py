"""Rows of stream tickets."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from agents.models import Agent, StreamTicket

MAX_ERASED = 100  # tickets, in one transaction


def erase_tickets(agent: Agent) -> int:
    """Delete some tickets of an agent; returns how many, 0 once there are none left."""
    return _erase_some(StreamTicket.objects.filter(agent=agent))


def find_ticket(digest: str) -> StreamTicket | None:
    """The ticket with this SHA-256 digest, with the key that has made it."""
    return StreamTicket.objects.select_related("api_key").filter(digest=digest).first()


def open_ticket(digest: str, run_id: str) -> None:
    """Note what a ticket has opened. Of a message only what the stream looks like is kept."""
    rows = StreamTicket.objects.select_for_update().filter(digest=digest)
    with transaction.atomic():
        ticket = rows.first()
        if ticket is None or (ticket.opened and ticket.run_id == run_id):
            return
        shown = ("merge", "deltas") if run_id else ticket.subject.keys()
        ticket.subject = {name: ticket.subject[name] for name in shown if name in ticket.subject}
        ticket.opened, ticket.run_id = True, run_id
        ticket.save(update_fields=["subject", "opened", "run_id"])


def purge_tickets(*, before: datetime) -> int:
    """Delete some of the tickets made before this moment, and of those that have expired without
    a use; returns how many, 0 once there are none left."""
    unused = Q(opened=False, expires_at__lt=timezone.now())
    rows = StreamTicket.objects.filter(Q(created_at__lt=before) | unused)
    return _erase_some(rows)


def _erase_some(tickets: QuerySet[StreamTicket]) -> int:
    some = list(tickets.values_list("pk", flat=True)[:MAX_ERASED])
    return StreamTicket.objects.filter(pk__in=some).delete()[0]
