"""The configurations of sources."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from wire.feed import TYPES

Id = Annotated[str, Meta(min_length=1, max_length=63)]
EVENTS = TYPES - {"run:progress"}
"""The types of events that there are; progress is kept nowhere."""
EventType = Annotated[str, Meta(extra_json_schema={"enum": sorted(EVENTS)})]
MAX_EVERY_MS = 31 * 86_400_000


class AgentExecution(
    msgspec.Struct, frozen=True, tag="agent_execution", forbid_unknown_fields=True, rename="camel"
):
    """The runs of the organisation, or of these agents (ids or slugs): what the command center
    shows of them."""

    agent_ids: Annotated[list[Id], Meta(max_length=100)] = []
    event_types: Annotated[list[EventType], Meta(min_length=1, max_length=50)] = msgspec.field(
        default_factory=lambda: ["run:completed"]
    )


class WebhookSource(msgspec.Struct, frozen=True, tag="webhook", forbid_unknown_fields=True):
    """Whatever is posted to the pipeline's address."""


class Schedule(
    msgspec.Struct, frozen=True, tag="schedule", forbid_unknown_fields=True, rename="camel"
):
    """An item from time to time: by `cron` (in UTC), or every so many ms."""

    cron: Annotated[str, Meta(min_length=9, max_length=100)] | UnsetType = UNSET
    every_ms: Annotated[int, Meta(ge=1000, le=MAX_EVERY_MS)] | UnsetType = UNSET
    item: dict[str, Any] = {}


SourceConfig = AgentExecution | WebhookSource | Schedule


class SourceProblem(ValueError):
    """A source that makes no sense. `place` leads to the part of its object that is wrong."""

    def __init__(self, place: str, message: str) -> None:
        super().__init__(message)
        self.place = place


def check(source: SourceConfig) -> None:
    """Raise `SourceProblem` for what the types of the fields do not tell."""
    if isinstance(source, AgentExecution):
        if unknown := sorted(set(source.event_types) - EVENTS):
            known = ", ".join(sorted(EVENTS))
            raise SourceProblem(
                "eventTypes", f"There is no event “{unknown[0]}”. These are: {known}."
            )
    elif isinstance(source, Schedule):
        if (source.cron is UNSET) == (source.every_ms is UNSET):
            raise SourceProblem("cron", "A schedule has either `cron` or `everyMs`.")
        if source.cron is not UNSET and not _is_cron(source.cron):
            raise SourceProblem("cron", "This is no cron expression, such as `0 9 * * 1`.")


def _is_cron(text: str) -> bool:
    from croniter import croniter  # 10 MB, and most installations have no schedule

    return len(text.split()) == 5 and croniter.is_valid(text)
