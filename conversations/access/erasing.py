"""Deletes conversations a few rows at a time: a large one, or a thousand, keep nobody waiting.

They are hidden first, so that no reader finds them meanwhile; what a crash leaves is
finished by `manage.py purge`."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.models import Organization, RememberedRequest
from agents.access import erase_tickets, hidden_agents
from conversations.models import (
    FINAL,
    NOBODY,
    UNFINISHED,
    Conversation,
    FeedEvent,
    Message,
    Run,
)
from files import access as files
from knowledge.access import erase_documents
from memories import access as memories
from webhooks.access import webhooks

MAX_CONVERSATIONS = 50
MAX_MESSAGES = 200
MAX_ROWS = 500  # small ones
"""In one step: some milliseconds on SQLite, which has one writer."""


@dataclass(frozen=True)
class Erased:
    """The runs that a step has deleted: `running` had not ended, `ended` are the ids of others."""

    conversations: int
    running: list[Run]
    ended: list[str]


def hide(conversations: QuerySet[Conversation]) -> None:
    """Let nobody find these conversations any more; their names are free again."""
    conversations.update(owner=NOBODY, alias=None)


def left_over() -> QuerySet[Conversation]:
    """Conversations whose erasing was cut short."""
    return Conversation.objects.filter(owner=NOBODY)


@transaction.atomic
def erase_agent(agent_id: str) -> bool:
    """Delete a hidden agent, or some of what is left of it; returns whether it is gone. Its
    conversations go before, with `erase_some`. Synchronous: one database step."""
    agent = hidden_agents().select_for_update().filter(pk=agent_id).first()
    if agent is None:
        return True
    if (
        erase_tickets(agent)
        or erase_documents(agent_id)
        or memories.erase_some(agent_id)
        or files.erase_of_agent(agent_id)
        or Conversation.objects.filter(agent=agent).exists()
    ):
        return False
    agent.delete()
    return True


@transaction.atomic
def erase_organization(organization_id: str) -> bool:
    """Delete an organisation without agents, or some of what is left of it; returns whether it is
    gone. Synchronous: one database step."""
    organization = Organization.objects.select_for_update().filter(pk=organization_id).first()
    if organization is None:
        return True
    for rows in (
        FeedEvent.objects.filter(organization=organization),
        RememberedRequest.objects.filter(organization=organization),
    ):
        some = list(rows.values_list("pk", flat=True)[:MAX_ROWS])
        if some:
            rows.filter(pk__in=some).delete()
            return False
    if webhooks.erase_some(organization_id):
        return False
    if organization.agents(manager="every").exists():
        return False
    organization.delete()
    return True


def finish() -> int:
    """Delete all that is hidden, also by somebody who could not finish it; returns how many
    conversations. Synchronous, in many transactions."""
    count = _erase(left_over())
    for agent_id in hidden_agents().values_list("pk", flat=True):
        while not erase_agent(agent_id):
            count += _erase(Conversation.objects.filter(agent=agent_id))
    while files.erase_unused():
        pass
    return count


def _erase(conversations: QuerySet[Conversation]) -> int:
    count = 0
    while (gone := erase_some(conversations)) is not None:
        count += gone.conversations
    return count


@transaction.atomic
def erase_some(conversations: QuerySet[Conversation]) -> Erased | None:
    """Delete some of these conversations, or of their messages, with their runs; those in which
    agents asked each other for them come first. None if there are none: call it until then.
    Synchronous: one database step."""
    names = list(conversations.values_list("pk", flat=True)[:MAX_CONVERSATIONS])
    if not names:
        return None
    while below := _asked_in(names):
        names = below
    messages = Message.objects.filter(conversation__in=names)
    keys = list(messages.values_list("pk", flat=True)[:MAX_MESSAGES])
    runs = Run.objects.filter(Q(user_message__in=keys) | Q(message__in=keys))
    unfinished = runs.filter(UNFINISHED)
    running = list(unfinished.select_related("conversation", "message", "user_message"))
    ended = list(runs.filter(status__in=FINAL).values_list("pk", flat=True))
    runs.delete()
    # Without their texts, which Django would read to delete what refers to them.
    Message.objects.filter(pk__in=keys).only("pk").delete()
    if len(keys) == MAX_MESSAGES:
        return Erased(0, running, ended)
    if files.erase_of(names):
        return Erased(0, running, ended)
    Conversation.objects.filter(pk__in=names).only("pk").delete()
    return Erased(len(names), running, ended)


def _asked_in(names: list[str]) -> list[str]:
    """Some of the conversations with other agents that were begun in these."""
    rows = Conversation.objects.filter(parent__in=names).values_list("pk", flat=True)
    return list(rows[:MAX_CONVERSATIONS])
