"""The run engine of a serving process without its sweeps, and clients of it."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from agents.caller import Caller
from conversations.execution.acceptance import Accepted, Asked, accept
from conversations.execution.attempt import read_transcript
from conversations.execution.claim import ClaimedRun, claim
from conversations.execution.dispatch.inline import InlineDispatcher
from conversations.execution.observers import Observers, RunObserver
from conversations.execution.opening import stamp, started_event
from conversations.execution.recording.completion import complete_logs
from conversations.execution.recording.recorder import Recorder
from conversations.execution.recovery import Recovery
from conversations.execution.runner import Runner
from conversations.execution.setup.prompt import Prompts
from conversations.execution.setup.providers import ProviderPool
from conversations.models import Run
from core.database import database_step
from engine.events import AnyEvent, decode
from engine.log.file import FileLog
from engine.transcript import Transcript
from wire.native import ChatRequest, ChatTurn

QUICK = "/delay 1\n/echo Hello there"
ENDLESS = "/delay 1\n/long 10000"  # ten seconds; the first word at once
SILENT = "/delay 2000"  # two seconds before the first word


def ask(caller: Caller, text: str = QUICK, **fields: Any) -> Accepted:
    """Accept a message for the demo. Synchronous."""
    return accepted(asked(caller, text, **fields))


def asked(caller: Caller, text: str = QUICK, **fields: Any) -> Asked:
    """A message for the demo."""
    agent = replace(caller.require_agent(), provider="demo", model="demo")
    if "messages" in fields:
        fields["messages"] = [ChatTurn(*turn) for turn in fields["messages"]]
        return Asked(caller, agent, ChatRequest(**fields))
    return Asked(caller, agent, ChatRequest(message=text, **fields))


def accepted(one: Asked) -> Accepted:
    """Accept it alone; raises what refuses it. Synchronous."""
    (answer,) = accept([one])
    if isinstance(answer, Exception):
        raise answer
    return answer


def take(run: Run) -> ClaimedRun | None:
    """Claim it alone. Synchronous."""
    (claimed,) = claim([run])
    return claimed


def reload(run: Run) -> Run:
    """The run as the database has it now. Synchronous."""
    return Run.objects.select_related("conversation", "message", "user_message").get(pk=run.pk)


class Parts:
    """One process' log, recorder, dispatcher and recovery, over a folder."""

    def __init__(self, folder: Path, *observers: RunObserver) -> None:
        self.folder = folder
        self.log = FileLog(folder, retention=600)
        self.recorder, self.providers = Recorder(), ProviderPool()
        self.prompts, self.observers = Prompts(), Observers(*observers)
        self.runner = self.new_runner()
        self.dispatcher = InlineDispatcher(self.runner)
        self.recovery = self.new_recovery(self.log.open_runs)

    def new_runner(self, kind: type[Runner] = Runner, **others: Any) -> Runner:
        """A runner of these parts, but for `others`."""
        names = ("log", "recorder", "providers", "prompts", "observers")
        return kind(**{name: getattr(self, name) for name in names} | others)

    def new_recovery(self, open_runs: Callable[[], list[str]] = list) -> Recovery:
        """The recovery of these parts."""
        return Recovery(
            self.log, self.dispatcher, self.recorder, self.prompts, self.observers, open_runs
        )

    async def __aenter__(self) -> Self:
        await complete_logs(self.log, self.log.unfinished())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.dispatcher.drain(0)
        await self.recorder.aclose()
        await self.prompts.aclose()
        await self.providers.aclose()
        await self.log.aclose()

    async def accept(self, caller: Caller, text: str = QUICK, **fields: Any) -> Run:
        """Accept a message: its row is committed and its first event is in the log."""
        accepted = await database_step(ask, caller, text, **fields)
        writer = self.log.writer(stamp(accepted.run), 0)
        writer.append(started_event(accepted.run, accepted.place))
        return accepted.run

    async def start(self, caller: Caller, text: str = QUICK, **fields: Any) -> Run:
        """Accept a message and carry it out."""
        run = await self.accept(caller, text, **fields)
        self.dispatcher.submit(run)
        return run

    async def events(
        self, run: Run, until: Callable[[AnyEvent], bool] = lambda event: False
    ) -> list[AnyEvent]:
        """The run's events up to one that `until` wants, else up to `done`."""
        seen: list[AnyEvent] = []
        async with aclosing(self.log.follow(run.pk)) as batches:
            async for batch in batches:
                for entry in batch:
                    seen.append(decode(entry.data))
                    if until(seen[-1]):
                        return seen
        return seen

    async def reach(self, run: Run, type_: str) -> None:
        """Wait until the run's log has an event of this type."""
        await self.events(run, lambda event: event.type == type_)

    async def transcript(self, run: Run) -> Transcript:
        """The fold of the run's log."""
        return await read_transcript(self.log, run.pk)

    async def settled(self) -> None:
        """Wait until this process has let go of all runs."""
        while tasks := [handle.task for handle in self.dispatcher.handles() if handle.task]:
            await asyncio.wait(tasks)

    async def ended(self, run: Run) -> Run:
        """The row of a run, once its `done` is there."""
        await self.events(run)
        return await database_step(reload, run)
