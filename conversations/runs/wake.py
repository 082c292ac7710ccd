"""Wake a run that waits."""

from conversations.execution import waiting
from conversations.execution.dispatch.base import Dispatcher
from core.database import database_step


async def wake_run(dispatcher: Dispatcher, run_id: str) -> None:
    """Let a run go on that waits for what has just been decided. Store the decision first: the
    run's next attempt looks for it.

    Harmless on a run that does not wait, and twice. Raises `unavailable`."""
    woken = await database_step(waiting.wake, run_id, dispatcher.enqueue)
    if woken is not None:
        dispatcher.submit(woken)
