"""Approvals of which those who may decide shall be told by mail."""

from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import Membership, Organization
from agents.auth.members import SCOPES_OF_ROLE
from conversations.access.decisions import answerable
from conversations.models import Decision, DecisionStatus

GAP = timedelta(minutes=15)
"""Between two mails to one person about one organisation, however much waits."""
MAX_MAILED = 50
"""People of one organisation that get the mail."""
MAX_NAMED = 100
"""Calls in one mail."""
MAX_ORGANIZATIONS = 100
"""In one look, at random where there are more: none is left out for long."""
DECIDERS = [role for role, scopes in SCOPES_OF_ROLE.items() if "runs:approve" in scopes]


class Reminder(NamedTuple):
    """A mail that is due: `tools` are the tool and the agent of each call that has waited for
    `seconds`, the newest first."""

    name: str
    slug: str
    seconds: int
    tools: list[tuple[str, str]]
    addresses: list[str]


def claim_reminders() -> list[Reminder]:
    """The mails that are due now. Each is given once, to whoever sends it. Synchronous."""
    now = timezone.now()
    rested = Q(approval_mailed_at=None) | Q(approval_mailed_at__lte=now - GAP)
    asking = Organization.objects.filter(rested, approval_mail_seconds__isnull=False)
    pending = Decision.objects.filter(organization=OuterRef("pk"), status=DecisionStatus.PENDING)
    return list(_due(asking.filter(Exists(pending)).order_by("?")[:MAX_ORGANIZATIONS]))


def _due(organizations: QuerySet[Organization]) -> Iterator[Reminder]:
    for row in organizations:
        waited = timedelta(seconds=row.approval_mail_seconds)
        now, before = timezone.now(), row.approval_mailed_at
        calls = answerable(Decision.objects.filter(organization=row, kind=Decision.Kind.APPROVAL))
        calls = calls.filter(requested_at__lte=now - waited)
        # The last mail has told of those that had waited long enough by then.
        untold = calls if before is None else calls.filter(requested_at__gt=before - waited)
        if not untold.exists():
            continue
        mine = Organization.objects.filter(pk=row.pk, approval_mailed_at=before)
        if not mine.update(approval_mailed_at=now):
            continue  # another process sends it
        tools = calls.order_by("-requested_at").values_list("tool", "run__agent__name")
        people = Membership.objects.filter(organization=row, role__in=DECIDERS)
        people = people.filter(user__is_active=True).order_by("pk")
        addresses = people.values_list("user__email", flat=True)[:MAX_MAILED]
        yield Reminder(
            row.name,
            row.slug or "",
            row.approval_mail_seconds,
            list(tools[:MAX_NAMED]),
            list(addresses),
        )
