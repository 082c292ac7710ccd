"""Runs that wait for somebody: they are rows, and nothing else, until they are woken.

A wake is never lost: it marks the row also while the run is still running, so a run that begins to
wait in the moment of a decision is woken at once. A wake too many costs an attempt that finds
nothing decided and waits again. All functions are synchronous."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from conversations import access
from conversations.execution.claim import ClaimedRun
from conversations.execution.enqueue import Enqueue
from conversations.models import UNFINISHED, Run, RunStatus
from engine.log.base import Fenced

MAX_WAIT = timedelta(days=6)
"""Redis keeps the log of a run that has not ended for a week after its last claim."""
MAX_EXPIRED = 100  # runs woken in one transaction


@transaction.atomic
def begin_wait(claimed: ClaimedRun, expires_at: datetime | None, enqueue: Enqueue) -> list[Run]:
    """Let a claimed run wait until `expires_at`, or just for the runs of other agents (None).
    Returns the runs that are made ready: itself if it has been woken already, and its parent, which
    tells its own watchers. Raises `Fenced` if the attempt does not hold it any more."""
    run = claimed.run
    rows = {row.pk: row for row in _locked([run.pk, *parents(run)])}
    row = rows.get(run.pk)
    if row is None or (row.attempt, row.status) != (claimed.attempt, RunStatus.RUNNING):
        raise Fenced(run.pk)
    run.status, run.woken = RunStatus.WAITING, row.woken
    run.waits_until = expires_at and min(expires_at, timezone.now() + MAX_WAIT)
    run.save(update_fields=["status", "waits_until"])
    if run.woken:
        enqueue([run])
    ready = [run] if run.woken else []
    return ready + wake_all(parents(run), enqueue)


def parents(run: Run) -> list[str]:
    """The id of the run that waits for this one, if there is one."""
    return [run.parent_id] if run.parent_id else []


def wake(run_id: str, enqueue: Enqueue) -> Run | None:
    """Make a waiting run ready, once: the run as it is now, or None if there is nothing to submit.

    A run that is running is marked, and does not begin to wait."""
    return next(iter(wake_all([run_id], enqueue)), None)


def wake_to_stop(run_id: str, stop: dict[str, Any], enqueue: Enqueue) -> Run | None:
    """The same for a run that shall end: with the error `stop`, or {}. A stop that was asked for
    earlier stays."""
    return next(iter(wake_all([run_id], enqueue, stop)), None)


def wake_all(
    run_ids: Sequence[str], enqueue: Enqueue, stop: dict[str, Any] | None = None
) -> list[Run]:
    """The same for several runs. Returns those that are to be submitted."""
    if not run_ids:
        return []
    with transaction.atomic():
        ready = []
        for row in _locked(run_ids):
            if row.stop is None:
                row.stop = stop
            if row.status == RunStatus.WAITING and not row.woken:
                ready.append(row.pk)
            row.woken = True
            row.save(update_fields=["woken", "stop"])
        runs = [run for run in access.runs_by_id(ready) if run is not None]
        enqueue(runs)
    return runs


def wake_expired(enqueue: Enqueue) -> list[Run]:
    """Make those runs ready whose time to wait is over, and those that wait for the runs of other
    agents which are not there any more. Returns some of them: call it until there are none."""
    beneath = Run.objects.filter(UNFINISHED, parent=OuterRef("pk"))
    over = Q(waits_until__lte=timezone.now()) | Q(~Exists(beneath), waits_until=None)
    with transaction.atomic():
        rows = Run.objects.select_for_update(skip_locked=True, of=("self",))
        rows = rows.filter(over, status=RunStatus.WAITING, woken=False)
        found = [run.pk for run in rows.order_by("waits_until")[:MAX_EXPIRED]]
        if not found:
            return []
        Run.objects.filter(pk__in=found).update(woken=True)
        runs = [run for run in access.runs_by_id(found) if run is not None]
        enqueue(runs)
    return runs


def _locked(run_ids: Sequence[str]) -> list[Run]:
    """Those of these runs that have not ended, locked in one order: or two transactions with the
    same runs would wait for each other."""
    return list(Run.objects.select_for_update().filter(UNFINISHED, pk__in=run_ids).order_by("pk"))
