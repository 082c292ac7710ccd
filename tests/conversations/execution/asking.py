"""A run that asks somebody: a provider that calls a tool, and a toolbox whose tool waits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from agents.caller import Caller
from agents.outbound.credentials import ProviderAccess
from conversations.execution.dispatch.inline import InlineDispatcher
from conversations.execution.setup.providers import ProviderPool
from conversations.execution.setup.toolbox import Emit
from conversations.execution.waiting import wake
from conversations.models import Run
from core.database import database_step
from engine.events import Pending
from engine.providers.base import Provider, ToolRequest
from engine.tools.base import NoTools, Toolbox, ToolContext, ToolOutcome, Waiting
from tests.conversations.parts import Parts, reload
from tests.engine.scripted import HELLO, Scripted, calls


def ask(id: str = "toolu_1") -> ToolRequest:
    """A call of the tool that waits."""
    return ToolRequest(id, "ask", {"text": "May I?"})


def work(id: str = "toolu_2") -> ToolRequest:
    """A call of the tool that does not."""
    return ToolRequest(id, "work", {})


class Desk(NoTools):
    """What is decided, and what was carried out: it outlives the processes, as a database does."""

    def __init__(self) -> None:
        self.decisions: dict[str, str] = {}
        self.done: list[str] = []
        self.asked = 0
        self.expires_at: datetime = timezone.now() + timedelta(hours=1)
        self.begun, self.proceed = asyncio.Event(), asyncio.Event()
        self.proceed.set()

    async def call(
        self, id: str, name: str, args: dict[str, Any], context: ToolContext
    ) -> ToolOutcome | Waiting:
        """`ask` waits for a decision, then it is carried out; `work` is at once."""
        if name == "ask" and id not in self.decisions:
            self.asked += 1
            if timezone.now() >= self.expires_at:
                return ToolOutcome("It expired.", True)
            pending = Pending(kind="question", id=id)
            return Waiting(pending=pending, expires_at=self.expires_at)
        self.done.append(id)
        self.begun.set()
        await self.proceed.wait()
        return ToolOutcome(self.decisions.get(id, "worked"), False)

    @asynccontextmanager
    async def open_for(self, run: Run, emit: Emit) -> AsyncIterator[Toolbox]:
        """The toolbox of any run."""
        yield self


class OneProvider(ProviderPool):
    """The same provider for every account."""

    def __init__(self, provider: Provider) -> None:
        super().__init__()
        self.provider = provider

    @asynccontextmanager
    async def use(self, access: ProviderAccess) -> AsyncIterator[Provider]:
        """See `ProviderPool.use`."""
        yield self.provider


def scripted(*uses: ToolRequest) -> OneProvider:
    """A model that makes these calls at once, and then says hello."""
    return OneProvider(Scripted(calls(*uses), HELLO))


def saying() -> OneProvider:
    """A model that says hello."""
    return OneProvider(Scripted(HELLO))


def asking(parts: Parts, desk: Desk, pool: ProviderPool | None = None) -> Parts:
    """The parts of a process whose agents have the desk's tools."""
    pool = pool or scripted(ask())
    runner = parts.new_runner(providers=pool, open_toolbox=desk.open_for)
    parts.dispatcher = InlineDispatcher(runner)
    parts.recovery = parts.new_recovery(parts.log.open_runs)
    return parts


async def waits(parts: Parts, run: Run) -> Run:
    """The run's row, once it waits and this process has let go of it."""
    await parts.reach(run, "run_waiting")
    await parts.settled()
    return await database_step(reload, run)


async def waiting(
    parts: Parts, caller: Caller, desk: Desk, pool: ProviderPool | None = None
) -> Run:
    """A run of such an agent, once it waits."""
    asking(parts, desk, pool)
    return await waits(parts, await parts.start(caller))


async def woken(parts: Parts, run: Run) -> Run | None:
    """Wake it as `runs.wake` does."""
    again = await database_step(wake, run.pk, parts.dispatcher.enqueue)
    if again is not None:
        parts.dispatcher.submit(again)
    return again
