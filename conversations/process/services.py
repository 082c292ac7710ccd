"""The parts of a serving process, as they are handed to whatever uses them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from conversations.execution.acceptance import Acceptance
from conversations.execution.dispatch.base import Dispatcher
from conversations.execution.observers import Observers
from conversations.execution.recording.recorder import Recorder
from conversations.execution.setup.prompt import Prompts
from conversations.execution.setup.providers import ProviderPool
from conversations.feed.feed import Feed
from conversations.limits.base import Limits
from conversations.process.connections import Connections
from conversations.process.journal_lock import JournalLock
from conversations.process.metrics import Present
from conversations.signals.activity import Activity
from core.database import close_database
from engine.log.base import Log
from engine.tools.mcp.pool import ServerPool

Probe: TypeAlias = Callable[[], Awaitable[bool]]


class Part(Protocol):
    """Something that works in the background for as long as the process serves."""

    async def stop(self) -> None:
        """End it, and wait until it has."""
        ...


@dataclass(frozen=True, kw_only=True)
class Services:
    """Everything that lives as long as the serving process.

    `shared`: other processes go on with the runs of this one, and answer those that wait in line.
    `background` is stopped before the runs drain, `working` after that; `probes` say whether the
    services beside the database are there. `large` is held while the response of a large answer is
    made: many at once would fill the memory."""

    log: Log
    activity: Activity
    acceptance: Acceptance
    dispatcher: Dispatcher
    recorder: Recorder
    connections: Connections
    limits: Limits
    providers: ProviderPool
    mcp_servers: ServerPool
    prompts: Prompts
    observers: Observers
    feed: Feed
    shared: bool
    background: tuple[Part, ...] = ()
    working: tuple[Part, ...] = ()
    probes: Mapping[str, Probe] = field(default_factory=dict)
    lock: JournalLock | None = None
    large: asyncio.Lock = field(default_factory=asyncio.Lock)
    present: Present = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "present", Present(self.counts))

    def counts(self) -> dict[str, dict[str, int]]:
        """The numbers of the gauges."""
        return {
            "connections": {"open": len(self.connections)},
            "live_runs": self.dispatcher.states(),
            "journals": self.log.counts(),
            "tasks": {"pending": len(asyncio.all_tasks())},
        }

    async def announce_shutdown(self, patience: float) -> None:
        """Take no more runs; tell all clients to come back, and give them `patience` seconds to
        go."""
        self.dispatcher.draining = True
        await self.connections.shut_down(patience)

    async def stop(self, grace: float) -> None:
        """`drain` and `release`."""
        await self.drain(grace)
        await self.release()

    async def drain(self, grace: float) -> None:
        """Let running answers finish for `grace` seconds, also those from elsewhere that a request
        here waits for; let go of the rest."""
        time = asyncio.get_running_loop().time
        deadline = time() + grace
        for part in self.background:
            await part.stop()
        await self.dispatcher.drain(grace)
        if not self.shared:  # nothing answers now what waits in line: this tells those who wait
            await self.log.aclose()
        await self.connections.answered(deadline - time())

    async def release(self) -> None:
        """Give back everything, once no request needs it any more."""
        await self.present.stop()
        for part in self.working:
            await part.stop()
        await self.feed.stop()
        await self.acceptance.aclose()
        await self.recorder.aclose()
        await self.prompts.aclose()
        await self.providers.aclose()
        await self.mcp_servers.aclose()
        await self.log.aclose()
        await close_database()
        if self.lock is not None:
            self.lock.release()


def services_of(scope: Mapping[str, Any]) -> Services:
    """The services that the server has put into the scope of a connection (its `state`, see
    https://asgi.readthedocs.io/en/latest/specs/lifespan.html#lifespan-state).

    Raises RuntimeError under a server that has started none."""
    try:
        services: Services = scope["state"]["services"]
    except KeyError:
        problem = "the run engine is not started: use `manage.py serve` or `runserver`"
        raise RuntimeError(problem) from None
    return services
