"""The rows of runs in which an agent asks another one: begun by a tool call, awaited by its run,
and stopped with it.

All functions are synchronous."""

from django.db import transaction
from django.db.models import Q

from agents.access import agents_of_organization
from agents.config import AgentConfig
from conversations import access
from conversations.execution import waiting
from conversations.execution.acceptance import fingerprint
from conversations.execution.enqueue import Enqueue
from conversations.models import (
    UNFINISHED,
    Conversation,
    Decision,
    DecisionStatus,
    Message,
    MessageStatus,
    Run,
)
from conversations.usage.budgets import Funds, Need
from core.statements import insert_rows
from engine.errors import ClawError
from engine.tools.builtin.base import ToolFailed
from wire.native import ChatRequest

MAX_RUNS = 50
"""Runs below one that somebody has asked for: bounds what one message can cost."""
TITLE_LENGTH = 80


def ancestors(run: Run) -> list[Run]:
    """The runs that wait for this one, the one that asks it first."""
    found: list[Run] = []
    while (parent_id := (found[-1] if found else run).parent_id) is not None:
        found.append(Run.objects.only("agent_id", "parent_id").get(pk=parent_id))
    return found


def askable(run: Run, slugs: list[str]) -> dict[str, AgentConfig]:
    """The agents of these slugs that the agent of a run may ask: none that waits for its answer
    or is archived, and nobody too deep below the run that somebody has asked for."""
    above = ancestors(run)
    if len(above) >= access.MAX_DEPTH or not slugs:
        return {}
    waits = {run.agent_id, *(parent.agent_id for parent in above)}
    found = agents_of_organization(run.organization_id, slugs, at_most=2 * len(slugs))
    by_slug = {
        agent.slug: agent for agent in found if agent.id not in waits and agent.archived_at is None
    }
    return {slug: AgentConfig.of(by_slug[slug]) for slug in slugs if slug in by_slug}


def child(run_id: str) -> Run | None:
    """The run of this id, with its message."""
    return Run.objects.select_related("message").filter(pk=run_id).first()


@transaction.atomic
def begin_child(
    parent: Run, run_id: str, agent: AgentConfig, message: str, enqueue: Enqueue
) -> Run:
    """Store the run `run_id`, in which `agent` is asked a message: it has a conversation of its
    own, of the same owner, and is on the account of the same key. Raises `ToolFailed`."""
    root = (ancestors(parent) or [parent])[-1].pk
    if len(access.runs_below(root)) >= MAX_RUNS:
        raise ToolFailed("Agents have been asked too often for this answer.")
    conversation = Conversation(
        organization_id=parent.organization_id,
        agent_id=agent.id,
        owner=parent.owner,
        title=" ".join(message.split())[:TITLE_LENGTH],
        parent_id=parent.conversation_id,
    )
    question = Message(conversation=conversation, role="user", content=message)
    answer = Message(conversation=conversation, role="assistant", status=MessageStatus.QUEUED)
    run = Run(
        id=run_id,
        organization_id=parent.organization_id,
        agent_id=agent.id,
        api_key_id=parent.api_key_id,
        conversation=conversation,
        user_message=question,
        message=answer,
        parent_id=parent.pk,
        owner=parent.owner,
        fingerprint=fingerprint(ChatRequest(message=message)),
        provider=agent.provider,
        model=agent.model,
        config={**vars(agent)},
    )
    try:
        run.reserved = Funds([run.organization_id]).reserve(
            run,
            lambda: Need.of(agent, len(message), before=0),
            run.api_key and run.api_key.monthly_budget,
        )
    except ClawError as refusal:
        raise ToolFailed(refusal.message) from None
    insert_rows([conversation])
    insert_rows([question, answer])
    insert_rows([run])
    enqueue([run])
    return run


def stop_children(run_id: str, enqueue: Enqueue) -> list[Run]:
    """Stop what a run has begun, since nobody waits for it any more: they are marked, and those
    that are to be submitted for it are returned."""
    rows = Run.objects.filter(UNFINISHED, parent=run_id).values_list("pk", flat=True)
    names = list(rows)
    waiting.wake_all(names, enqueue, {})
    return [run for run in access.runs_by_id(names) if run is not None]


def decisions_below(run_id: str, call_ids: list[str]) -> list[Decision]:
    """The questions of this run and of those below it, and the decisions about the calls named."""
    rows = Decision.objects.filter(run__in=[run_id, *access.runs_below(run_id)])
    wanted = Q(status=DecisionStatus.PENDING) | Q(call_id__in=call_ids)
    rows = rows.filter(kind__in=(Decision.Kind.APPROVAL, Decision.Kind.QUESTION))
    return list(rows.filter(wanted).order_by("requested_at"))
