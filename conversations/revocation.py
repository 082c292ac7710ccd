"""Cuts what a key has open, soon after it is revoked or expires, wherever that was done."""

import asyncio
import contextvars
import logging

from accounts.database import database_step
from agents import keys
from conversations import access
from conversations.connections import Connections
from conversations.execution.dispatch import InlineDispatcher
from engine.errors import ClawError, Unavailable
from engine.log.base import LogError

log = logging.getLogger(__name__)

SWEEP_SECONDS = 0.5  # the command that revokes is another process: the database is asked

MESSAGES = {
    "key_revoked": "This key has been revoked.",
    "token_expired": "This key has expired.",
}


class Revocation:
    """Asks about the keys in use, and only those."""

    def __init__(self, connections: Connections, dispatcher: InlineDispatcher) -> None:
        self._connections, self._dispatcher = connections, dispatcher
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to sweep."""
        self._task = asyncio.create_task(self._keep_sweeping(), context=contextvars.Context())

    async def stop(self) -> None:
        """End the sweeping."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _keep_sweeping(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                await self.sweep()
            except (Unavailable, LogError):
                log.warning("revoked keys are cut at the next sweep", exc_info=True)

    async def sweep(self) -> None:
        """Cut the connections and end the runs of keys that are no longer valid."""
        in_use = self._connections.key_ids() | self._dispatcher.key_ids()
        for key_id, code in (await keys.revoked_among(in_use)).items():
            self._connections.cut([key_id], ClawError(code, MESSAGES[code]))
            ended = ClawError("key_revoked", MESSAGES[code])
            for run in await database_step(access.unfinished_of_keys, [key_id]):
                await self._dispatcher.cancel(run, ended)
