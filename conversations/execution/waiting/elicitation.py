"""Questions of an MCP server in the middle of a call: the run goes on working, and asks for the
answer in the database until it is there."""

import asyncio
from collections.abc import Callable
from typing import Any

from conversations.execution import waiting
from conversations.execution.waiting import decisions
from conversations.execution.waiting.agent_tools import Beginning
from conversations.execution.waiting.questions import answer
from conversations.models import Decision, DecisionStatus, Run
from core.database import database_step
from engine import events as ev
from engine.ids import new_id
from engine.tools.mcp.form import Form

POLL_SECONDS = 0.5
"""Between two looks for the answer, of one small query each."""


class Elicitation:
    """The questions of the MCP servers of one run. `emit` tells its watchers, and the run of the
    agent that waits for this one is woken to tell its own."""

    def __init__(
        self,
        run: Run,
        emit: Callable[[ev.Event], None],
        dispatcher: Callable[[], Beginning] | None,
    ) -> None:
        self._run, self._emit, self._dispatcher = run, emit, dispatcher

    async def ask(self, tool: str, form: Form) -> str | None:
        """The answer to a question that comes up in a call of this tool; None if there is none."""
        id, kind = new_id("call"), Decision.Kind.QUESTION
        given: dict[str, Any] = {"text": form.text, "choices": form.choices, "schema": form.schema}
        given = {name: value for name, value in given.items() if value is not None}
        row = await database_step(decisions.ask, self._run, kind, id, tool, given)
        self._emit(ev.Question(id=id, expires_at=row.expires_at, **given))
        await self._tell_parent()
        while row.status == DecisionStatus.PENDING:
            await asyncio.sleep(POLL_SECONDS)
            row = await database_step(decisions.ask, self._run, kind, id, tool, given)
        if row.status == DecisionStatus.EXPIRED:  # whoever decides wakes it
            await self._tell_parent()
        said = answer(row)
        self._emit(
            ev.ToolResult(
                id=id,
                tool=tool,
                result=said.result,
                is_error=said.is_error,
                duration_ms=0,
                client=True,
            )
        )
        return None if said.is_error else str(said.result)

    async def _tell_parent(self) -> None:
        parents = waiting.parents(self._run)
        if not parents or self._dispatcher is None:
            return
        dispatcher = self._dispatcher()
        for woken in await database_step(waiting.wake_all, parents, dispatcher.enqueue):
            dispatcher.submit(woken)
