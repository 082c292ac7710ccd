"""Rows of versions and drafts. `agents.models` has them among its own."""

from copy import copy
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Max
from django.utils import timezone

from auditing.actors import present
from engine.ids import new_id
from wire.objects.configuration import CONFIGURED
from wire.objects.versions import MAX_NOTE

MAX_VERSIONS = 1_000
"""Versions that an agent keeps: beyond that the oldest go that nobody is pinned to."""


def version_id() -> str:
    """A fresh id of a version."""
    return new_id("ver")


class AgentVersion(models.Model):
    """A configuration that an agent has, had or may get: the fields `CONFIGURED`, as JSON. Only
    `published_at` changes, the last time that it was published."""

    id = models.CharField(primary_key=True, max_length=40, default=version_id, editable=False)
    agent = models.ForeignKey("agents.Agent", models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    configuration = models.JSONField()
    note = models.CharField(max_length=MAX_NOTE, blank=True)
    author_kind = models.CharField(max_length=8)
    author_id = models.CharField(max_length=160, blank=True)
    author_name = models.CharField(max_length=254, blank=True)
    published_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("agent", "number"), name="agent_version_number"),
        )

    def __str__(self) -> str:
        return f"version {self.number}"


class AgentDraft(models.Model):
    """The changes to an agent that are not published: some of the fields `CONFIGURED`, as JSON."""

    agent = models.OneToOneField(
        "agents.Agent", models.CASCADE, primary_key=True, related_name="draft"
    )
    changes = models.JSONField()
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"draft of {self.agent_id}"


def configuration(agent: Any) -> dict[str, Any]:
    """The configuration of an agent, as a version keeps it."""
    return {name: getattr(agent, name) for name in CONFIGURED}


def configured(agent: Any, changes: dict[str, Any]) -> Any:
    """A copy of the agent with these fields of its configuration, which is not stored. A field that
    it does not know, from a newer release, is left out."""
    made = copy(agent)
    made._state = copy(agent._state)
    made._state.fields_cache = dict(agent._state.fields_cache)
    for name in CONFIGURED:
        if name in changes:
            setattr(made, name, changes[name])
    return made


def at_version(agent: Any, row: AgentVersion | None) -> Any:
    """The agent as it is in a version of it; without one as it is published."""
    if row is None or row.number == agent.version:
        return agent
    made = configured(agent, row.configuration)
    made.version = row.number
    return made


def keep(agent: Any) -> None:
    """Make the configuration of a stored agent a version, published now, unless it is the one that
    is published already. The present actor is its author."""
    current = AgentVersion.objects.filter(agent=agent, number=agent.version).first()
    if current is None or current.configuration != configuration(agent):
        now = timezone.now()
        agent.version = add_version(agent, configuration(agent), published_at=now).number
        type(agent).every.filter(pk=agent.pk).update(version=agent.version)


def add_version(agent: Any, values: dict[str, Any], **fields: Any) -> AgentVersion:
    """A new version of a locked agent by the present actor, with the next number."""
    rows, author = AgentVersion.objects.filter(agent=agent), present()
    last = rows.aggregate(last=Max("number"))["last"] or 0
    rows.filter(number__lte=last + 1 - MAX_VERSIONS, pinned_keys=None).exclude(
        number__in=(agent.version, agent.visitor_version or 0)
    ).delete()
    return AgentVersion.objects.create(
        agent=agent,
        number=last + 1,
        configuration=values,
        author_kind=author.kind,
        author_id=author.id,
        author_name=author.name,
        **fields,
    )


def check_version(agent: Any, field: str) -> None:
    """Raise ValidationError unless the version whose number the field has exists, if any."""
    number = getattr(agent, field)
    rows = AgentVersion.objects.filter(agent=agent.pk, number=number)
    if number is not None and not rows.exists():
        raise ValidationError({field: f"There is no version {number}."})
