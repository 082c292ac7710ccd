"""Agents that ask each other: each of them plays scripts of its own."""

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from agents.caller import Caller
from agents.models import Agent
from agents.outbound.credentials import ProviderAccess
from conversations.execution.attempt import read_transcript
from conversations.models import Run
from conversations.process.services import Services
from conversations.runs.start import start_run
from core.database import database_step
from engine.events import AnyEvent, decode
from engine.ids import child_id
from engine.providers.base import Sink, ToolRequest
from engine.request import ModelRequest
from engine.transcript import Transcript
from tests.conversations.parts import reload
from tests.engine.scripted import Scripted
from wire.native import ChatRequest


class Office:
    """Agents of one organisation, by their slugs. Each answers what its scripts say."""

    name = price_list = "anthropic"

    def __init__(self, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
        self.services = services
        self.models: dict[str, Scripted] = {}
        monkeypatch.setattr(services.providers, "use", self.use)

    @asynccontextmanager
    async def use(self, access: ProviderAccess) -> AsyncIterator["Office"]:
        """See `ProviderPool.use`: whose call it is, the instructions say."""
        yield self

    async def call(self, request: ModelRequest, sink: Sink, *, idle_timeout: float) -> None:
        """See `Provider.call`."""
        model = self.models[request.instructions]
        await model.call(request, sink, idle_timeout=idle_timeout)

    async def hire(
        self, organization_id: str, slug: str, *scripts: list[Any], tools: list[Any] | None = None
    ) -> Scripted:
        """An agent that plays these scripts, one for each model call."""
        self.models[slug] = model = Scripted(*scripts)
        await database_step(self._store, organization_id, slug, tools or [])
        return model

    def _store(self, organization_id: str, slug: str, tools: list[Any]) -> None:
        fields = {"name": slug.title(), "instructions": slug, "provider": "demo", "tools": tools}
        Agent.objects.update_or_create(slug=slug, organization_id=organization_id, defaults=fields)

    async def ask(
        self, caller: Caller, *scripts: list[Any], tools: list[Any], name: str | None = None
    ) -> Run:
        """A run of the caller's agent, which plays these scripts."""
        self.models["boss"] = Scripted(*scripts)
        agent = replace(caller.require_agent(), instructions="boss", tools=tools)
        request = ChatRequest(message="Do it", conversation_id=name)
        return (await start_run(self.services, replace(caller, agent=agent), request)).run

    async def until(self, run: Run, wanted: Callable[[AnyEvent], bool]) -> AnyEvent:
        """The first event of a run that is wanted."""
        async with aclosing(self.services.log.follow(run.pk)) as batches:
            async for batch in batches:
                for entry in batch:
                    if wanted(event := decode(entry.data)):
                        return event
        raise AssertionError("the run has ended without it")

    async def reach(self, run: Run, *types: str) -> AnyEvent:
        """The first event of these types."""
        return await self.until(run, lambda event: event.type in types)

    async def ended(self, run: Run) -> Run:
        """The run's row, once it has ended."""
        await self.reach(run, "done")
        return await database_step(reload, run)

    async def row(self, run_id: str) -> Run:
        """The row of a run."""
        return await database_step(_loaded, run_id)

    async def begun(self, run: Run, slug: str, call_id: str = "toolu_1") -> Run:
        """The run of a call, once the model of the agent that carries it out was asked."""
        await self.models[slug].asked.wait()
        return await self.row(child_id(run.pk, call_id))

    async def transcript(self, run: Run) -> Transcript:
        """The fold of a run's log."""
        return await read_transcript(self.services.log, run.pk)

    async def events(self, run: Run, *types: str) -> list[AnyEvent]:
        """What a run has written so far, of these types."""
        batch = await self.services.log.read(run.pk, 0)
        return [decode(entry.data) for entry in batch if entry.type in types]


def _loaded(run_id: str) -> Run:
    return Run.objects.select_related("conversation", "message", "user_message").get(pk=run_id)


def asks(slug: str, message: str = "How many?", id: str = "toolu_1") -> ToolRequest:
    """A call of another agent."""
    return ToolRequest(id, slug, {"message": message})
