"""Tools that the asking client carries out: their calls wait for its results."""

from collections.abc import Sequence
from typing import Any

from conversations.execution.waiting import decisions
from conversations.models import Decision, DecisionStatus, Run
from core.database import database_step
from engine import events as ev
from engine.request import ToolSpec
from engine.tools.base import Policy, ToolContext, ToolOutcome, Waiting, unknown_tool

EXPIRED = "Not carried out: the client gave no result in time, and the call has expired."


class ClientTools:
    """The tools that came with a run's message, as its configuration has them."""

    def __init__(self, run: Run, entries: Sequence[dict[str, Any]]) -> None:
        self._run, self._entries = run, entries

    async def open(self) -> None:
        """Opens nothing."""

    def specs(self) -> list[ToolSpec]:
        """See `Toolbox.specs`."""
        return [
            ToolSpec(
                name=entry["client"],
                description=entry["description"],
                input_schema=entry["inputSchema"],
                client=True,
            )
            for entry in self._entries
        ]

    def policy(self, name: str) -> Policy:
        """Asks for no approval: who asks decides about its own tools."""
        return Policy()

    async def call(
        self, id: str, name: str, args: dict[str, Any], context: ToolContext
    ) -> ToolOutcome | Waiting:
        """See `Toolbox.call`."""
        if not any(entry["client"] == name for entry in self._entries):
            return unknown_tool(name)
        pending = ev.Pending(kind="client_tool", id=id, tool=name, args=args)
        if self._run.hands_over:
            return Waiting(pending=pending, expires_at=None)
        kind = Decision.Kind.CLIENT_TOOL
        row = await database_step(decisions.ask, self._run, kind, id, name, args)
        if row.status == DecisionStatus.PENDING:
            return Waiting(pending=pending, expires_at=row.expires_at)
        if row.status != DecisionStatus.APPROVED:
            return ToolOutcome(EXPIRED, True)
        return ToolOutcome(row.given, row.is_error)

    async def aclose(self) -> None:
        """Closes nothing."""
