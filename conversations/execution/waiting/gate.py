"""Carries out a tool call only once it is approved, where its tool's policy wants that."""

from typing import Any

from conversations.execution.waiting import decisions
from conversations.models import Decision, DecisionStatus, Run
from core.database import database_step
from engine import events as ev
from engine.continuation import LOST
from engine.request import ToolSpec
from engine.tools.base import Policy, Toolbox, ToolContext, ToolOutcome, Waiting
from engine.tools.digest import digest, pin

DENIED = "Not carried out: this call was declined."
EXPIRED = "Not carried out: nobody approved this call in time."
RENEWED = "Not carried out: the tool has changed since this call was approved. Call it again."
OTHER = "Not carried out: this is not the call that was approved."
WRONG = "Not carried out: the arguments do not fit the input schema of the tool."
CHANGED = "The approver has changed the arguments of this call."


class Gate:
    """A toolbox whose calls wait for approval. Nothing but a row that a person has decided lets a
    call through: no text of a model, a tool or a message does."""

    def __init__(self, tools: Toolbox, run: Run) -> None:
        self._tools, self._run = tools, run

    async def open(self) -> None:
        """See `Toolbox.open`."""
        await self._tools.open()

    def specs(self) -> list[ToolSpec]:
        """See `Toolbox.specs`."""
        return self._tools.specs()

    def policy(self, name: str) -> Policy:
        """See `Toolbox.policy`."""
        return self._tools.policy(name)

    async def call(
        self, id: str, name: str, args: dict[str, Any], context: ToolContext
    ) -> ToolOutcome | Waiting:
        """See `Toolbox.call`."""
        policy = self._tools.policy(name)
        if policy.approval == "never":
            return await self._tools.call(id, name, args, context)
        spec = next((spec for spec in self.specs() if spec.name == name), None)
        if spec is None:
            return await self._tools.call(id, name, args, context)
        try:
            row = await database_step(decisions.ask_approval, self._run, id, args, policy, spec)
        except decisions.Contradiction:
            return ToolOutcome(WRONG, True)
        if row is None:
            return await self._tools.call(id, name, args, context)
        if row.digest != digest(self._run.pk, id, name, args):
            return ToolOutcome(OTHER, True)
        if row.status == DecisionStatus.PENDING:
            return _waiting(row)
        if not row.begun or any(call.id == id for call in context.pending):
            context.emit(approval_decided(row))
        if row.status != DecisionStatus.APPROVED:
            return _refusal(row)
        if row.pinned not in ("", pin(spec)):
            return ToolOutcome(RENEWED, True)
        if not await database_step(decisions.begin, row) and not spec.repeatable:
            return ToolOutcome(LOST, True)
        if row.given is None:
            return await self._tools.call(id, name, args, context)
        return _with_note(row, await self._tools.call(id, name, row.given, context))

    async def aclose(self) -> None:
        """See `Toolbox.aclose`."""
        await self._tools.aclose()


def approval_required(row: Decision, child_run_id: str | None = None) -> ev.ApprovalRequired:
    """The event of an approval that nobody has decided; `child_run_id` is the run of another agent
    that asks for it."""
    return ev.ApprovalRequired(**_asked(row), child_run_id=child_run_id)


def approval_decided(row: Decision, child_run_id: str | None = None) -> ev.ApprovalDecided:
    """The event of its end."""
    withdrawn = row.status == DecisionStatus.WITHDRAWN
    by = row.decided_by or {"kind": "withdrawal" if withdrawn else "expiry"}
    return ev.ApprovalDecided(
        child_run_id=child_run_id,
        id=row.call_id,
        approved=row.status == DecisionStatus.APPROVED,
        by=ev.DecidedBy(kind=by["kind"], id=by.get("id")),
        approvers=row.approvers,
        args=row.given,
        reason=row.reason or None,
    )


def _waiting(row: Decision) -> Waiting:
    return Waiting(
        pending=ev.Pending(kind="approval", **_asked(row)),
        expires_at=row.expires_at,
        asked=approval_required(row),
    )


def _asked(row: Decision) -> dict[str, Any]:
    return {
        "id": row.call_id,
        "tool": row.tool,
        "args": row.args,
        "args_digest": row.digest,
        "expires_at": row.expires_at,
        "approvers": row.approvers,
        "editable": row.schema is not None,
    }


def _refusal(row: Decision) -> ToolOutcome:
    if row.status != DecisionStatus.DENIED:
        return ToolOutcome(EXPIRED, True)
    return ToolOutcome(f"{DENIED} The reason: {row.reason}" if row.reason else DENIED, True)


def _with_note(row: Decision, outcome: ToolOutcome | Waiting) -> ToolOutcome | Waiting:
    """The outcome, which tells the model what was carried out instead of what it asked for."""
    if isinstance(outcome, Waiting):
        return outcome
    return outcome.with_result({"note": CHANGED, "arguments": row.given, "result": outcome.result})
