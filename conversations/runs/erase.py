"""Erase conversations, agents and organisations, with all runs and their logs."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import aclosing, suppress
from dataclasses import replace

from django.db import transaction
from django.db.models import QuerySet

from agents import invalidation
from agents.access import hide_agents
from agents.auth.visitors import owner_of
from agents.caller import Caller
from auditing.recording import record
from conversations import access
from conversations.access import erasing
from conversations.models import FINAL, Conversation, Run
from conversations.process.services import Services
from conversations.runs.cancel import cancel_runs, pages
from core.database import database_step
from engine.events import LAST
from engine.log.base import Log, LogError
from memories import access as memories
from memories.access import Owner

END_SECONDS = 5.0  # how long an erasure waits for the answers that it has stopped


async def erase_conversation(services: Services, conversation: Conversation) -> None:
    """Delete a conversation with its messages, runs and logs. Runs that still work are stopped
    first, so that their watchers see the end."""
    await _erase(services, conversation, _hide_and_record)


async def erase_visitor(services: Services, caller: Caller, visitor_id: str) -> None:
    """Delete all that a visitor has said to the caller's agent, and what it remembers of them."""
    agent = caller.require_agent()
    owner = Owner(agent.id, owner_of(visitor_id))
    while some := await database_step(access.some_of_owner, caller, owner.name):
        for conversation in some:
            await _erase(services, conversation, _hide)
    await database_step(_forget_visitor, agent.organization_id, owner, visitor_id)


async def erase_agent(services: Services, caller: Caller) -> None:
    """Delete the caller's agent, which is hidden, with all that was said to it. A message that
    was on its way when the agent was hidden is waited for, and deleted too."""
    gone = False
    while not gone:
        async for some in pages(access.unfinished_of_agent, caller):
            await _stop(services, some)
        await database_step(invalidation.publish, caller.principal.organization_id)
        await _erase_all(services, access.of_agent(caller))
        gone = await database_step(erasing.erase_agent, caller.require_agent().id)


async def erase_organization(services: Services, caller: Caller) -> None:
    """Delete the caller's organisation, one agent after the other. The rest after a crash is
    deleted at the next request."""
    organization_id = caller.principal.organization_id
    gone = False
    while not gone:
        for agent in await database_step(hide_agents, organization_id):
            await erase_agent(services, replace(caller, agent=agent))
        gone = await database_step(erasing.erase_organization, organization_id)


async def _erase(
    services: Services, conversation: Conversation, hide: Callable[[Conversation], None]
) -> None:
    await _stop(services, await database_step(access.unfinished_runs, conversation))
    await database_step(hide, conversation)
    await _erase_all(services, Conversation.objects.filter(pk=conversation.pk))
    await services.activity.announce(conversation.pk)


def _hide(conversation: Conversation) -> None:
    erasing.hide(Conversation.objects.filter(pk=conversation.pk))


@transaction.atomic
def _hide_and_record(conversation: Conversation) -> None:
    """From here on nobody finds it, and the audit log has who deleted it."""
    _hide(conversation)
    record(conversation.organization_id, "conversation.deleted", subject_id=conversation.pk)


@transaction.atomic
def _forget_visitor(organization_id: str, owner: Owner, visitor_id: str) -> None:
    memories.erase(owner)
    record(organization_id, "visitor.deleted", subject_id=visitor_id)


async def _erase_all(services: Services, conversations: QuerySet[Conversation]) -> None:
    """Delete conversations in which nothing runs any more, with messages, runs and logs, in steps
    that let others through."""
    while (gone := await database_step(erasing.erase_some, conversations)) is not None:
        await _forget(services, gone.running)
        for run_id in gone.ended:
            await services.log.erase(run_id)


async def _forget(services: Services, rows: Iterable[Run]) -> None:
    """Stop runs whose rows are deleted already, and erase their logs."""
    for run in rows:
        if run.status not in FINAL:
            await services.dispatcher.cancel(run)
        await services.log.erase(run.pk)


async def _stop(services: Services, running: list[Run]) -> None:
    """Stop runs that are about to be deleted, and wait until their watchers may see their end."""
    await cancel_runs(services.dispatcher, running)
    with suppress(TimeoutError):  # no process carries it out, or its worker hangs
        async with asyncio.timeout(END_SECONDS):
            for run in running:
                await _ended(services.log, run)


async def _ended(log: Log, run: Run) -> None:
    """Return when the run's `done` is in its log, or can no longer come."""
    with suppress(LogError):
        last = await log.last(run.pk)
        if last is not None and last.type != LAST:
            async with aclosing(log.follow(run.pk, last.seq)) as batches:
                async for _ in batches:
                    pass
