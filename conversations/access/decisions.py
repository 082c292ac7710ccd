"""Rows of decisions: what runs wait for."""

from collections.abc import Collection
from functools import reduce
from operator import or_

from django.db.models import Q, QuerySet
from django.utils import timezone

from agents.access import opened_by
from agents.caller import Caller
from conversations.access.scope import scope
from conversations.models import FINAL, Decision, DecisionStatus

MAX_DEPTH = 3
"""Runs of other agents beneath one another, below the one that somebody has asked for."""
MAX_COUNTED = 1000
"""More waiting approvals than this are not counted."""


def decisions(caller: Caller) -> QuerySet[Decision]:
    """The decisions of the caller's own runs, and of the runs of other agents for which these
    wait: pending and past ones."""
    return Decision.objects.filter(reduce(or_, (scope(caller, path) for path in _CONCERNED)))


def of_runs(run_ids: Collection[str]) -> Q:
    """Selects what these runs wait for, and the runs of other agents for which they wait."""
    return reduce(or_, (Q(**{f"{path}pk__in": run_ids}) for path in _CONCERNED))


def approvals(caller: Caller) -> QuerySet[Decision]:
    """The approvals that the caller may decide or is told of: a visitor's own, else all of the
    agents that the caller may ask. Raises `forbidden` without the scope `runs:approve`."""
    principal = caller.principal
    if not principal.trusted:
        return decisions(caller).filter(kind=Decision.Kind.APPROVAL)
    principal.require("runs:approve")
    agents = [caller.agent.id] if caller.agent is not None else opened_by(principal)
    rows = Decision.objects.filter(organization=principal.organization_id)
    rows = rows.filter(reduce(or_, (Q(**{f"{path}agent__in": agents}) for path in _CONCERNED)))
    return rows.filter(kind=Decision.Kind.APPROVAL)


def answerable(rows: QuerySet[Decision]) -> QuerySet[Decision]:
    """Those for which a run still waits: their time is not over, and nobody has stopped it."""
    waiting = Q(status=DecisionStatus.PENDING, expires_at__gt=timezone.now())
    return rows.filter(waiting, ~Q(run__status__in=FINAL), run__stop__isnull=True)


def waiting(rows: QuerySet[Decision]) -> int:
    """The number of those that are answerable, at most `MAX_COUNTED`."""
    return answerable(rows).order_by()[:MAX_COUNTED].count()


_CONCERNED = [f"run__{'parent__' * depth}" for depth in range(MAX_DEPTH + 1)]
"""Ways from a decision to its run, and to the runs that wait for that one."""
