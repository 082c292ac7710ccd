"""The rows of what runs wait for: asked by an attempt, decided by a person, or by time.

All functions are synchronous."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from agents.principal import Principal
from approvals.access import grant, standing
from auditing.recording import record
from conversations import access
from conversations.execution import waiting
from conversations.execution.enqueue import Enqueue
from conversations.models import FINAL, Decision, DecisionStatus, Run
from engine.errors import ClawError
from engine.events import Pending
from engine.request import ToolSpec
from engine.tools.base import Policy
from engine.tools.digest import digest, pin
from engine.tools.schema import contradicts
from wire.native import Always

PENDING = DecisionStatus.PENDING


class Contradiction(Exception):
    """The tool cannot carry out a call with these arguments: nobody is asked about it."""


def ask(run: Run, kind: str, id: str, tool: str, args: dict[str, Any], **fields: Any) -> Decision:
    """The row of this call, which is made if there is none yet, and expires if it is time."""
    row, _ = Decision.objects.get_or_create(
        run_id=run.pk,
        call_id=id,
        defaults={
            "organization_id": run.organization_id,
            "kind": kind,
            "tool": tool,
            "args": args,
            "digest": digest(run.pk, id, tool, args),
            "expires_at": timezone.now() + timedelta(seconds=settings.CLAW_APPROVAL_TTL),
            **fields,
        },
    )
    return _present(row)


def ask_approval(
    run: Run, id: str, args: dict[str, Any], policy: Policy, spec: ToolSpec
) -> Decision | None:
    """The approval of this call, as `ask` gives it, given already where a standing approval holds
    for it; None where a call of the tool as it is now was approved in the conversation, and the
    policy wants no more than that. Raises `Contradiction`."""
    if contradicts(args, spec.input_schema):  # it may take long, and this is no event loop
        raise Contradiction
    pinned = pin(spec)
    if policy.approval == "first" and _approved_before(run, spec.name, pinned):
        asked = Decision.objects.filter(run=run.pk, call_id=id).first()
        return asked and _present(asked)
    beforehand = standing(
        agent_id=run.agent_id,
        conversation_ids=access.lineage(run.conversation_id),
        tool=spec.name,
        pinned=pinned,
        approvers=policy.approvers,
    )
    given = {
        "status": DecisionStatus.APPROVED,
        "decided_by": beforehand and {"kind": "standing", "id": beforehand.pk},
    }
    return ask(
        run,
        Decision.Kind.APPROVAL,
        id,
        spec.name,
        args,
        approvers=policy.approvers,
        schema=spec.input_schema if policy.editable else None,
        pinned=pinned,
        **(given if beforehand else {}),
    )


def _approved_before(run: Run, tool: str, pinned: str) -> bool:
    approvals = Decision.objects.filter(kind=Decision.Kind.APPROVAL, tool=tool, pinned=pinned)
    approved = approvals.filter(status=DecisionStatus.APPROVED)
    return approved.filter(run__conversation=run.conversation_id).exists()


def _present(row: Decision) -> Decision:
    """The row, expired if its time is over and nobody has decided by now."""
    if row.status == PENDING and row.expires_at <= timezone.now():
        mine = Decision.objects.filter(pk=row.pk, status=PENDING)
        mine.update(status=DecisionStatus.EXPIRED, decided_by={"kind": "expiry"})
        row.refresh_from_db()
    return row


def begin(row: Decision) -> bool:
    """Take the one right to carry out an approved call; False if it was taken before."""
    mine = Decision.objects.filter(pk=row.pk, status=DecisionStatus.APPROVED, begun=False)
    return bool(mine.update(begun=True))


@transaction.atomic
def decide_call(
    row: Decision,
    changes: Mapping[str, Any],
    enqueue: Enqueue,
    *,
    by: Principal,
    always: Always | None,
) -> tuple[Decision, list[Run]]:
    """`decide` about the approval of a call, for the audit log too; `always` approves the later
    calls of its tool in the conversation of the person who asks, or all of the agent."""
    row, woken = decide(row, changes, enqueue)
    record(
        row.organization_id, f"approval.{row.status}", subject_id=row.call_id, subject_name=row.tool
    )
    if always is not None:
        lineage = access.lineage(row.run.conversation_id)
        grant(
            by,
            agent_id=row.run.agent_id,
            conversation_id=lineage[-1] if always == "conversation" else None,
            tool=row.tool,
            pinned=row.pinned,
        )
    return row, woken


@transaction.atomic
def decide(
    row: Decision, changes: Mapping[str, Any], enqueue: Enqueue
) -> tuple[Decision, list[Run]]:
    """Store a decision, once, and wake its run, and the run that waits for that one. Returns the
    row, and the runs that are to be submitted. Raises `already_decided`."""
    concerned = [row.run_id, *waiting.parents(row.run)]
    held = Run.objects.select_for_update().filter(pk__in=concerned).order_by("pk")
    run = next(run for run in held if run.pk == row.run_id)
    rows = Decision.objects.select_for_update(of=("self",)).select_related("run__conversation")
    row = rows.get(pk=row.pk)
    over = run.status in FINAL or run.stop is not None or row.expires_at <= timezone.now()
    if row.status != PENDING or over:
        raise ClawError("already_decided", "This was decided before, or nothing waits for it now.")
    for field, value in changes.items():
        setattr(row, field, value)
    row.save(update_fields=list(changes))
    return row, waiting.wake_all(concerned, enqueue)


@transaction.atomic
def give(
    run: Run, call: Pending, changes: Mapping[str, Any], enqueue: Enqueue
) -> tuple[Decision, list[Run]]:
    """`decide` about a client's call that has no row yet: the client was faster than the run, which
    asks once the model has said all."""
    Run.objects.select_for_update().get(pk=run.pk)
    row = ask(run, Decision.Kind.CLIENT_TOOL, call.id, call.tool or "", call.args or {})
    return decide(row, changes, enqueue)


def withdraw(run_ids: list[str]) -> None:
    """End what these runs, which have ended, still wait for."""
    waiting_rows = Decision.objects.filter(run__in=run_ids, status=PENDING)
    waiting_rows.update(status=DecisionStatus.WITHDRAWN)
