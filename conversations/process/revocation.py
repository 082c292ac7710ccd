"""Rights that have changed end what they do not allow any more, wherever they were changed:
connections, and the runs of keys.

A change that was published (`agents.invalidation`) is acted upon at once. A sweep finds the
others: a command is a process of its own, and some rights end by themselves."""

import asyncio
import logging
from collections.abc import Callable

from agents import invalidation
from agents.auth import key_holders, keys, members
from agents.caller import Caller
from agents.principal import Kind, Principal
from agents.public import visited
from conversations import access
from conversations.execution.dispatch.base import Dispatcher
from conversations.process.connections import Connection, Connections
from core.database import database_step
from core.tasks.background import Background
from engine.errors import ClawError, Unavailable
from engine.log.base import LogError

log = logging.getLogger(__name__)

SWEEP_SECONDS = 0.5
GROUP = 100  # connections that are looked at in one turn of the loop


class Revocation:
    """Asks about the keys and agents in use, and only those."""

    def __init__(self, connections: Connections, dispatcher: Dispatcher) -> None:
        self._connections, self._dispatcher = connections, dispatcher
        self._background = Background()
        self._deaf: Callable[[], None] = lambda: None
        self._changed: set[str] = set()
        self._wake = asyncio.Event()

    def start(self) -> None:
        """Begin to sweep."""
        self._loop = asyncio.get_running_loop()
        self._deaf = invalidation.listen(self._heard)
        self._background.start(self._keep_sweeping())

    async def stop(self) -> None:
        """End the sweeping."""
        self._deaf()
        await self._background.stop()

    def _heard(self, organization_id: str) -> None:
        self._loop.call_soon_threadsafe(self.note, organization_id)

    def note(self, organization_id: str) -> None:
        """Something of this organisation has changed: look at all that it has open."""
        self._changed.add(organization_id)
        self._wake.set()

    async def _keep_sweeping(self) -> None:
        while True:
            try:
                async with asyncio.timeout(SWEEP_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                pass  # nobody has announced anything
            self._wake.clear()
            try:
                await self.sweep()
            except (Unavailable, LogError):
                log.warning("changed rights are looked at in the next sweep", exc_info=True)

    async def sweep(self) -> None:
        """Look again at what has changed: at its connections, and at the runs of its keys."""
        changed, self._changed = self._changed, set()
        try:
            changed |= await self._found()
            if changed:
                await self._look_again(changed)
                await self._end_runs(changed)
        except BaseException:
            self._changed |= changed
            raise

    async def _found(self) -> set[str]:
        """The organisations of keys, members and agents in use that are not as they were."""
        callers = [caller for _, caller in self._connections.callers()]
        owners = self._dispatcher.key_owners()
        owners |= {who.id: who.organization_id for who in _of(Kind.KEY, callers)}
        states = await key_holders.look_again(owners)
        found = {owners[key_id] for key_id, state in states.items() if state.ended is not None}
        versions = {key_id: state.version for key_id, state in states.items()}
        versions |= await members.look_again([who.id for who in _of(Kind.MEMBER, callers)])
        visits = [caller for caller in callers if caller.principal.kind is Kind.VISITOR]
        agents = await visited.look_again({caller.require_agent().id for caller in visits})
        versions |= {visit.principal.id: agents[visit.require_agent().id] for visit in visits}
        for who in (caller.principal for caller in callers):
            if who.version not in (None, versions[who.id]):
                found.add(who.organization_id)
        return found

    async def _look_again(self, organization_ids: set[str]) -> None:
        for number, (connection, caller) in enumerate(self._connections.callers()):
            if caller.principal.organization_id in organization_ids:
                await self._look_at(connection, caller)
            if number % GROUP == 0:
                await asyncio.sleep(0)

    async def _look_at(self, connection: Connection, caller: Caller) -> None:
        try:
            await connection.look_again()
        except Unavailable:
            raise
        except ClawError as error:
            if error.code == "invalid_token" and caller.principal.key_id:  # it is deleted
                error = ClawError("key_revoked", keys.ENDED["key_revoked"])
            connection.cut(error)

    async def _end_runs(self, organization_ids: set[str]) -> None:
        for run in await database_step(access.unfinished_of_ended_keys, organization_ids):
            key = run.api_key
            code = (keys.ended(key.revoked_at, key.expires_at) if key else None) or "key_revoked"
            await self._dispatcher.cancel(run, ClawError("key_revoked", keys.ENDED[code]))


def _of(kind: Kind, callers: list[Caller]) -> list[Principal]:
    return [caller.principal for caller in callers if caller.principal.kind is kind]
