"""The runs of an organisation as its command center shows them, whoever has asked."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db.models import QuerySet
from django.db.models.functions import Left

from agents.principal import Principal
from conversations.models import UNFINISHED, Run

MAX_LIVE_RUNS = 1000
"""Without their messages."""
EXCERPT_LENGTH = 200
"""Characters of an answer."""


def watched(principal: Principal, agents: Collection[str] | None) -> QuerySet[Run]:
    """The runs of the organisation, or of these agents. Raises `forbidden` without the scope
    `monitor:read`."""
    principal.require("monitor:read")
    runs = Run.objects.filter(organization=principal.organization_id)
    return runs if agents is None else runs.filter(agent__in=agents)


def live_runs(principal: Principal, agents: Collection[str] | None) -> list[Run]:
    """The newest of them that have not ended."""
    runs = watched(principal, agents).filter(UNFINISHED)
    return list(runs.select_related("conversation").order_by("-user_message")[:MAX_LIVE_RUNS])


def unfinished_runs(organization_id: str) -> list[Run]:
    """The same of a whole organisation, for nobody in particular."""
    runs = Run.objects.filter(UNFINISHED, organization=organization_id)
    return list(runs.select_related("conversation").order_by("-user_message")[:MAX_LIVE_RUNS])


def first_tokens(runs: QuerySet[Run], since: datetime, at_most: int) -> list[tuple[datetime, int]]:
    """For each of the newest of these runs, when it was accepted and after how many ms of work
    its first token came; those without a token are left out."""
    rows = runs.filter(created_at__gte=since).order_by("-created_at")
    found = rows.values_list("created_at", "usage__ttftMs")[:at_most]
    return [(accepted, ttft) for accepted, ttft in found if ttft is not None]


def excerpts(principal: Principal, run_ids: Sequence[str]) -> dict[str, str]:
    """The beginnings of the answers of these runs of the organisation. Raises `forbidden` without
    the scope `conversations:read`."""
    principal.require("conversations:read")
    runs = Run.objects.filter(organization=principal.organization_id, pk__in=run_ids)
    return dict(runs.values_list("pk", Left("message__content", EXCERPT_LENGTH)))
