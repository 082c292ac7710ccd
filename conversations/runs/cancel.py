"""Cancel several runs at once. A single run is cancelled by the dispatcher itself, which returns
when the run has been told, not when it has ended: that is an event."""

from collections.abc import AsyncIterator, Callable, Collection
from typing import TypeVar

from agents.caller import Caller
from agents.principal import Principal
from conversations import access
from conversations.execution.dispatch.base import Dispatcher
from conversations.models import Run, RunStatus
from core.database import database_step

Of = TypeVar("Of")


async def cancel_runs(dispatcher: Dispatcher, rows: Collection[Run]) -> list[str]:
    """Stop these runs; returns their ids. Runs in line are stopped first, so that none of them
    begins because the one before it ends."""
    for run in sorted(rows, key=lambda run: run.status != RunStatus.QUEUED):
        await dispatcher.cancel(run)
    return [run.pk for run in rows]


async def cancel_conversation(
    dispatcher: Dispatcher, caller: Caller, conversation_id: str
) -> list[str]:
    """Stop everything in a conversation; returns the runs that were told. Raises
    `conversation_not_found`."""
    caller.principal.require("chat")
    conversation = await database_step(access.conversation, caller, conversation_id)
    unfinished = await database_step(access.unfinished_runs, conversation)
    return await cancel_runs(dispatcher, unfinished)


async def cancel_organization(dispatcher: Dispatcher, principal: Principal) -> list[str]:
    """Stop everything that the organisation has running; returns the runs that were told. Raises
    `forbidden` without the scope `admin`."""
    told: list[str] = []
    async for some in pages(access.unfinished_of_organization, principal):
        told += await cancel_runs(dispatcher, some)
    return told


async def pages(page: Callable[[Of, int | None], list[Run]], of: Of) -> AsyncIterator[list[Run]]:
    """Runs in steps that let others through, the newest first: a run that waits comes before the
    run for which it waits."""
    before = None
    while some := await database_step(page, of, before):
        yield some
        before = some[-1].user_message_id
