"""Rows that only the console's pages need, beyond those of the API."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.db.models import (
    Count,
    ExpressionWrapper,
    F,
    IntegerField,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
)
from django.db.models.functions import Coalesce, Left
from django.utils import timezone

from accounts.models import Membership
from agents.caller import Caller
from agents.models import Agent, ApiKey
from agents.principal import Principal
from conversations.models import Conversation, Message, Run, RunStatus
from metering.access import hours

DAY = timedelta(days=1)
BEGINNING = Left("content", 160)
FAILED = Count("pk", filter=Q(status__in=(RunStatus.FAILED, RunStatus.INTERRUPTED)))


def milestones(principal: Principal) -> dict[str, bool]:
    """The first steps that the organisation has taken."""
    mine = Q(organization=principal.organization_id)
    keys = ApiKey.objects.filter(mine)
    runs = Run.objects.filter(mine)
    return {
        "agent": Agent.objects.filter(mine).exists(),
        "run": runs.exists(),
        "key": keys.exists(),
        "request": keys.exclude(last_used_at=None).exists(),
        "visitor": runs.filter(owner__startswith="visitor:").exists(),
    }


def numbers(principal: Principal) -> dict[str, int]:
    """The number of each kind of object, and the numbers of the last 24 hours."""
    mine = Q(organization=principal.organization_id)
    recent = Run.objects.filter(mine, created_at__gte=timezone.now() - DAY)
    return {
        "agents": Agent.objects.filter(mine).count(),
        "conversations": Conversation.objects.filter(mine).count(),
        **recent.aggregate(runs=Count("pk"), failed=FAILED),
    }


def found(agents: QuerySet[Agent], q: str) -> QuerySet[Agent]:
    """Those of these agents that have a text in their name or slug."""
    return agents.filter(Q(name__icontains=q) | Q(slug__icontains=q)) if q else agents


def activity(agent_ids: list[str]) -> dict[str, dict[str, Any]]:
    """By agent: its runs of the last 24 hours, how many failed, and when it was asked last."""
    recent = Run.objects.filter(agent__in=agent_ids, created_at__gte=timezone.now() - DAY)
    rows = recent.values("agent_id").annotate(
        runs=Count("pk"), failed=FAILED, last=Max("created_at")
    )
    return {row["agent_id"]: row for row in rows}


def runs_by_day(
    organization_id: str, agent_ids: Collection[str], between: range
) -> list[tuple[str, int, int, int]]:
    """(agent, day, runs, errors) of the runs that have ended, where there were any; day 0 is the
    first 24 of these hours."""
    day = ExpressionWrapper((F("hour") - between.start) / 24, output_field=IntegerField())
    errors = F("failed") + F("interrupted")
    rows = hours(organization_id, between).filter(agent_id__in=agent_ids)
    return list(
        rows.annotate(day=day)
        .values("agent_id", "day")
        .annotate(runs=Sum(F("completed") + F("cancelled") + errors), errors=Sum(errors))
        .values_list("agent_id", "day", "runs", "errors")
    )


def has_answered_a_key(caller: Caller) -> bool:
    """Whether the caller's agent was ever asked with an API key."""
    asked = Run.objects.filter(agent=caller.require_agent().id).exclude(api_key=None)
    return asked.exists()


def described(rows: QuerySet[Conversation]) -> QuerySet[Conversation]:
    """These conversations, each with its agent, with how it began and how long it is."""
    mine = Message.objects.filter(conversation=OuterRef("pk")).order_by("id")
    return rows.select_related("agent", "share").annotate(
        began=Subquery(mine.filter(role="user").annotate(text=BEGINNING).values("text")[:1]),
        length=Coalesce(
            Subquery(mine.order_by().values("conversation").annotate(n=Count("pk")).values("n")),
            0,
        ),
    )


def runs_by_id(principal: Principal, run_ids: Collection[str]) -> dict[str, Run]:
    """These runs of the organisation."""
    rows = Run.objects.filter(organization=principal.organization_id, pk__in=run_ids)
    return {run.pk: run for run in rows.select_related("api_key")}


def key_names(organization_id: str, ids: Collection[str]) -> dict[str, str]:
    """The names of these API keys of the organisation."""
    rows = ApiKey.objects.filter(organization=organization_id, pk__in=ids)
    return dict(rows.values_list("pk", "name"))


def member_names(organization_id: str, ids: Collection[str]) -> dict[str, str]:
    """The addresses of the people of these memberships of the organisation."""
    rows = Membership.objects.filter(organization=organization_id, pk__in=ids)
    return dict(rows.values_list("pk", "user__email"))
