"""The rows of an agent's versions and of its draft: the caller of these functions has the agent
from `agents.access`, which says whose it is."""

from typing import Any

from django.db.models import QuerySet

from agents.models import Agent, AgentDraft, AgentVersion
from agents.versions.models import at_version, configured
from engine.errors import ClawError


def versions_of(agent: Agent) -> QuerySet[AgentVersion]:
    """The versions of an agent."""
    return AgentVersion.objects.filter(agent=agent)


def version_of(agent: Agent, number: int) -> AgentVersion:
    """The version with this number. Raises `not_found`."""
    found = versions_of(agent).filter(number=number).first()
    if found is None:
        raise ClawError("not_found", f"The agent has no version {number}.")
    return found


def newest_version(agent: Agent) -> AgentVersion | None:
    """The version with the highest number; an agent that was never saved by this release has
    none."""
    return versions_of(agent).order_by("-number").first()


def for_visitors(agent: Agent) -> Agent:
    """The agent in the version that its visitors have."""
    if agent.visitor_version in (None, agent.version):
        return agent
    made: Agent = at_version(agent, versions_of(agent).filter(number=agent.visitor_version).first())
    return made


def draft_of(agent: Agent) -> AgentDraft | None:
    """The row of the agent's draft, if it has one."""
    return AgentDraft.objects.filter(agent=agent).first()


def drafted(agent: Agent) -> Agent:
    """A copy of the agent as its draft has it, which is not stored."""
    row = draft_of(agent)
    made: Agent = configured(agent, row.changes if row else {})
    return made


def store_draft(agent: Agent, changes: dict[str, Any]) -> None:
    """Keep these changes as the draft of a locked agent; without any it has none."""
    if changes:
        AgentDraft.objects.update_or_create(agent=agent, defaults={"changes": changes})
    else:
        AgentDraft.objects.filter(agent=agent).delete()
