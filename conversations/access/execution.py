"""Rows of runs of all organisations: only for the processes that execute runs."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db.models import Count, Q
from django.utils import timezone

from agents.principal import OF_KEYS
from conversations.models import UNFINISHED, Run
from core.chunks import chunks
from core.loading import load


def owners_of(run_ids: list[str]) -> dict[str, str]:
    """The organisation of each of these runs; one that has been deleted is not in it."""
    return dict(Run.objects.filter(pk__in=run_ids).values_list("pk", "organization_id"))


def count_unfinished() -> dict[str, int]:
    """The number of unfinished runs of all organisations, by status: for the operator."""
    unfinished = Run.objects.filter(UNFINISHED).values_list("status")
    return {"queued": 0, "running": 0} | dict(unfinished.annotate(Count("id")).order_by())


def runs_by_id(run_ids: list[str]) -> list[Run | None]:
    """Any runs, in this order, for who carries them out; None for each that has been erased."""
    found = load(Run, ("conversation", "message", "user_message"), run_ids)
    return [found.get(run_id) for run_id in run_ids]


def ended_before(moment: datetime, run_ids: Sequence[str]) -> list[Run]:
    """Those of these runs, of any organisation, that ended before a moment."""
    runs = Run.objects.filter(pk__in=run_ids, finished_at__lt=moment)
    return list(runs.select_related("conversation"))


def requested_stops(run_ids: list[str]) -> dict[str, dict[str, str]]:
    """Those of these runs that shall stop, and how."""
    asked = Run.objects.filter(stop__isnull=False).values_list("pk", "stop")
    return {pk: stop for some in chunks(run_ids) for pk, stop in asked.filter(pk__in=some)}


def unfinished_of_ended_keys(organization_ids: Collection[str]) -> list[Run]:
    """Runs of these organisations that have not ended, while the key that has started them has:
    revoked, expired or deleted. Of a key that still exists each has its row."""
    over = Q(api_key__revoked_at__isnull=False) | Q(api_key__expires_at__lte=timezone.now())
    deleted = Q(api_key=None, owner=OF_KEYS)
    runs = Run.objects.filter(over | deleted, organization__in=list(organization_ids))
    unfinished = runs.filter(UNFINISHED)
    return list(unfinished.select_related("api_key", "conversation", "message", "user_message"))


def runs_below(run_id: str) -> list[str]:
    """The runs in which other agents were asked for a run, and those begun for these in turn."""
    found: list[str] = []
    level = [run_id]
    while level:
        level = list(Run.objects.filter(parent__in=level).values_list("pk", flat=True))
        found += level
    return found
