"""Questions of the agent to whoever talks to it: a call of `ask_user` waits for the answer."""

from typing import Any

import msgspec

from conversations.execution.waiting import decisions
from conversations.models import Decision, DecisionStatus, Run
from core.database import database_step
from engine import events as ev
from engine.request import ToolSpec
from engine.tools.base import Policy, ToolContext, ToolOutcome, Waiting, unknown_tool
from engine.tools.builtin import ask_user
from engine.tools.builtin.base import ToolFailed

UNANSWERED = {
    DecisionStatus.DENIED: "The user does not want to answer this question.",
    DecisionStatus.EXPIRED: "This question has expired: no answer came in time.",
    DecisionStatus.WITHDRAWN: "This question was withdrawn: its run waits no longer.",
}


class Questions:
    """The toolbox with `ask_user` alone."""

    def __init__(self, run: Run) -> None:
        self._run = run

    async def open(self) -> None:
        """Opens nothing."""

    def specs(self) -> list[ToolSpec]:
        """See `Toolbox.specs`."""
        return [ask_user.spec()]

    def policy(self, name: str) -> Policy:
        """Asks for no approval: a question does nothing."""
        return Policy()

    async def call(
        self, id: str, name: str, args: dict[str, Any], context: ToolContext
    ) -> ToolOutcome | Waiting:
        """See `Toolbox.call`."""
        if name != ev.ASK_USER:
            return unknown_tool(name)
        try:
            asked = ask_user.question_of(args)
        except msgspec.ValidationError as wrong:
            return ToolOutcome(f"Wrong arguments: {wrong}", True)
        except ToolFailed as failed:
            return ToolOutcome(str(failed), True)
        kind = Decision.Kind.QUESTION
        row = await database_step(decisions.ask, self._run, kind, id, name, asked)
        if row.status != DecisionStatus.PENDING:
            return answer(row)
        fields = {"id": id, **asked, "expires_at": row.expires_at}
        return Waiting(
            pending=ev.Pending(kind="question", **fields),
            expires_at=row.expires_at,
            asked=ev.Question(**fields),
        )

    async def aclose(self) -> None:
        """Closes nothing."""


def question(row: Decision, child_run_id: str) -> ev.Question:
    """The event of a question that the run of another agent asks."""
    return ev.Question(
        id=row.call_id,
        text=row.args["text"],
        choices=row.args.get("choices"),
        schema=row.args.get("schema"),
        expires_at=row.expires_at,
        child_run_id=child_run_id,
    )


def answer(row: Decision) -> ToolOutcome:
    """The end of a question: what the model is told."""
    if row.status == DecisionStatus.APPROVED:
        return ToolOutcome(row.given, False)
    return ToolOutcome(UNANSWERED[DecisionStatus(row.status)], True)


def answered(row: Decision, child_run_id: str) -> ev.ToolResult:
    """The event of the end of a question that the run of another agent has asked."""
    outcome = answer(row)
    return ev.ToolResult(
        id=row.call_id,
        tool=row.tool,
        result=outcome.result,
        is_error=outcome.is_error,
        duration_ms=0,
        client=True,
        child_run_id=child_run_id,
    )
