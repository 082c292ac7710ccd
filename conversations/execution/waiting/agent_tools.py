"""Other agents of the organisation as tools. Each call is a run of its own; the one that asks waits
for it as for a person: as a row, which holds no process."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Annotated, Any, Protocol, TypeAlias

import msgspec
from django.conf import settings
from msgspec import Meta

from agents.config import AgentConfig
from agents.outbound.credentials import provider_access
from conversations.execution.waiting import children
from conversations.execution.waiting.gate import approval_decided, approval_required
from conversations.execution.waiting.questions import answered, question
from conversations.models import FINAL, Decision, DecisionStatus, Run, RunStatus
from core.database import database_step
from engine import events as ev
from engine.errors import ClawError, Unavailable
from engine.ids import child_id
from engine.request import ToolSpec
from engine.text import is_blank
from engine.tools.base import (
    Delegated,
    Policy,
    ToolContext,
    ToolOutcome,
    Waiting,
    policy_of,
    unknown_tool,
)
from engine.tools.builtin.base import ToolFailed, schema_of

DESCRIPTION = (
    "Asks the agent “{name}” and gives its answer. It knows nothing of this conversation: the "
    "message must say all that it needs."
)
UNFINISHED = "The agent ended before its answer was complete: {why}"
SO_FAR = "\nIts answer so far:\n{text}"

Tell: TypeAlias = Callable[[Decision, str], ev.Event]
EVENTS: dict[str, tuple[Tell, Tell]] = {
    Decision.Kind.APPROVAL: (approval_required, approval_decided),
    Decision.Kind.QUESTION: (question, answered),
}
"""The events that tell watchers of a question and of its end, by the kind of decision."""


class Request(msgspec.Struct, frozen=True):
    """The arguments of every agent."""

    message: Annotated[str, Meta(description="What the agent shall do or answer.")]


class Beginning(Protocol):
    """Takes runs that were begun: see `Dispatcher`."""

    def enqueue(self, runs: Sequence[Run]) -> None:
        """Called within the transaction that makes `runs` ready."""
        ...

    def submit(self, run: Run) -> None:
        """Called after it."""
        ...


class AgentTools:
    """The agents that the agent of a run may ask, by their slugs. `entries` are those of its
    configuration."""

    def __init__(self, run: Run, entries: list[dict[str, Any]], dispatcher: Beginning) -> None:
        self._run, self._dispatcher = run, dispatcher
        self._policies = {entry["agent"]: policy_of(entry) for entry in entries}
        self._agents: dict[str, AgentConfig] = {}

    async def open(self) -> None:
        """Look up who can be asked. An agent that waits for this answer cannot, nor can anybody
        when agents ask each other too deeply."""
        self._agents = await database_step(children.askable, self._run, [*self._policies])

    def specs(self) -> list[ToolSpec]:
        """See `Toolbox.specs`."""
        return [
            ToolSpec(
                name=slug,
                description=DESCRIPTION.format(name=agent.name),
                input_schema=schema_of(Request),
                agent=True,
                repeatable=True,  # a second call finds the run of the first
            )
            for slug, agent in self._agents.items()
        ]

    def policy(self, name: str) -> Policy:
        """See `Toolbox.policy`."""
        return self._policies.get(name, Policy())

    async def call(
        self, id: str, name: str, args: dict[str, Any], context: ToolContext
    ) -> ToolOutcome | Waiting:
        """See `Toolbox.call`."""
        agent, run_id = self._agents.get(name), child_id(self._run.pk, id)
        if agent is None:
            return unknown_tool(name)
        run = await database_step(children.child, run_id)
        if run is None:
            try:
                run = await self._begin(run_id, agent, args)
            except msgspec.ValidationError as wrong:
                return ToolOutcome(f"Wrong arguments: {wrong}", True)
            except ToolFailed as refused:
                return ToolOutcome(str(refused), True)
        await self._relay(run, context)
        if run.status in FINAL:
            return _outcome(run)
        return Waiting(pending=None, expires_at=None)

    async def aclose(self) -> None:
        """Closes nothing: the runs go on."""

    async def _begin(self, run_id: str, agent: AgentConfig, args: dict[str, Any]) -> Run:
        message, most = msgspec.convert(args, Request).message, settings.CLAW_MAX_MESSAGE_BYTES
        if is_blank(message) or len(message.encode()) > most:
            raise ToolFailed(f"Give a message of at most {most} bytes.")
        try:
            model = await provider_access(agent)
        except Unavailable:
            raise
        except ClawError as refused:
            raise ToolFailed(refused.message) from refused
        agent = replace(agent, provider=model.provider, model=model.model)
        enqueue = self._dispatcher.enqueue
        run = await database_step(children.begin_child, self._run, run_id, agent, message, enqueue)
        self._dispatcher.submit(run)
        return run

    async def _relay(self, run: Run, context: ToolContext) -> None:
        """Tell the watchers what the other agent waits for, and what was decided about it."""
        known = [call.id for call in context.pending if call.child_run_id is not None]
        for row in await database_step(children.decisions_below, run.pk, known):
            asked, ended = EVENTS[row.kind]
            if row.status == DecisionStatus.PENDING and row.call_id not in known:
                context.emit(asked(row, row.run_id))
            elif row.status != DecisionStatus.PENDING and row.call_id in known:
                context.emit(ended(row, row.run_id))


def _outcome(run: Run) -> ToolOutcome:
    finished = run.finished_at or run.created_at
    seconds = (finished - run.created_at).total_seconds()
    text = run.message.content
    if run.status == RunStatus.COMPLETED:
        return Delegated(text, False, seconds)
    why = run.error["message"] if run.error else "it was stopped."
    said = UNFINISHED.format(why=why) + ("" if is_blank(text) else SO_FAR.format(text=text))
    return Delegated(said, True, seconds)
