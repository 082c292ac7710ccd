"""A serving process whose runs wait, and the ways to look at them."""

import asyncio
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from agents.caller import Caller
from conversations.execution.dispatch.inline import InlineDispatcher
from conversations.execution.recovery import Recovery
from conversations.models import Decision, Run
from conversations.process.services import Services
from conversations.runs.start import start_run
from core.database import database_step
from engine.events import AnyEvent, decode
from engine.providers.base import ToolRequest
from engine.transcript import ToolUse
from tests.conversations.execution.asking import OneProvider, scripted
from tests.conversations.parts import reload
from tests.engine.scripted import Scripted
from wire.native import ChatRequest


class Shop:
    """The runs of a serving process, whose model does as a script says."""

    def __init__(self, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
        self.services, self._patch = services, monkeypatch

    def script(self, provider: Scripted) -> Scripted:
        """Let this be the model of all agents."""
        self._patch.setattr(self.services.providers, "use", OneProvider(provider).use)
        return provider

    async def begin(
        self, caller: Caller, *calls: ToolRequest, has: list[dict[str, Any]], **fields: Any
    ) -> Run:
        """A run of an agent that has these tools. The model makes these calls, if there are any."""
        if calls:
            self._patch.setattr(self.services.providers, "use", scripted(*calls).use)
        asking = replace(caller, agent=replace(caller.require_agent(), tools=has))
        foreign = fields.pop("foreign", None)
        request = ChatRequest(**{"message": "Go"} | fields)
        return (await start_run(self.services, asking, request, foreign)).run

    async def ask(
        self, caller: Caller, *calls: ToolRequest, has: list[dict[str, Any]], **fields: Any
    ) -> Run:
        """The same, once it waits or has ended."""
        run = await self.begin(caller, *calls, has=has, **fields)
        await self.waits(run)
        return run

    async def reach(self, run: Run, type_: str) -> None:
        """Return when the run has written an event of this type."""
        async with aclosing(self.services.log.follow(run.pk)) as batches:
            async for batch in batches:
                if any(entry.type == type_ for entry in batch):
                    return

    async def waits(self, run: Run) -> None:
        """Return when the run waits, or has ended."""
        dispatcher = self.services.dispatcher
        assert isinstance(dispatcher, InlineDispatcher)
        while tasks := [h.task for h in dispatcher.handles() if h.run.pk == run.pk and h.task]:
            for task in tasks:
                await task

    async def expire(self, run: Run) -> None:
        """Let the time be over that the run waits."""
        past = timezone.now() - timedelta(seconds=1)
        await database_step(Decision.objects.filter(run=run).update, expires_at=past)
        await database_step(Run.objects.filter(pk=run.pk).update, waits_until=past)
        await self.recover(run)

    async def crash(self, run: Run) -> None:
        """End what carries out the run, as a crash does, and recover it."""
        dispatcher = self.services.dispatcher
        assert isinstance(dispatcher, InlineDispatcher)
        (task,) = [h.task for h in dispatcher.handles() if h.run.pk == run.pk and h.task]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await self.recover(run)

    async def recover(self, run: Run) -> None:
        """Look for runs that nobody carries out, and wait until this one waits or has ended."""
        (recovery,) = [part for part in self.services.background if isinstance(part, Recovery)]
        await recovery.sweep()
        await self.waits(run)

    async def row(self, run: Run, id: str) -> Decision:
        """What a call waits for."""
        return await database_step(Decision.objects.get, run=run.pk, call_id=id)

    async def stored(self, run: Run) -> Run:
        """The run as the database has it now."""
        return await database_step(reload, run)

    async def events(self, run: Run, *types: str) -> list[AnyEvent]:
        """What the run has written so far, of these types."""
        batch = await self.services.log.read(run.pk, 0)
        return [decode(entry.data) for entry in batch if entry.type in types]

    async def tools(self, run: Run) -> dict[str, ToolUse]:
        """The tool calls of the run's answer, by their ids, as the history has them."""
        return {tool["id"]: tool for tool in (await self.stored(run)).message.tools}
