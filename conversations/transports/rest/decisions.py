"""REST: what runs wait for, and decisions about it."""

import msgspec
from django.http import HttpRequest

from agents.access import require_every_agent
from agents.caller import Caller
from conversations import access
from conversations.models import DecisionStatus
from conversations.process.services import services_of
from conversations.rendering import render_approval
from conversations.runs.decide import (
    answer_question,
    decide_approval,
    decide_approvals,
    give_result,
)
from core.http import PAGE, Answer, newest, page_of, read
from engine.errors import invalid
from wire.description.openapi import Operation, Parameter
from wire.native import ClientResult, Reply, Verdict, Verdicts
from wire.objects.conversations import (
    ApprovalDecisions,
    ApprovalPage,
    ApprovalRequest,
    Decided,
)

_verdict = msgspec.json.Decoder(Verdict)
_verdicts = msgspec.json.Decoder(Verdicts)
_reply = msgspec.json.Decoder(Reply)
_result = msgspec.json.Decoder(ClientResult)


async def decide(request: HttpRequest, caller: Caller, run_id: str, approval_id: str) -> Answer:
    """`POST /api/runs/{id}/approvals/{approvalId}`."""
    if caller.principal.trusted:
        caller.principal.require("runs:approve")
    services = services_of(request.scope)
    verdict = read(_verdict, request)
    row = await decide_approval(services, caller, run_id, approval_id, verdict)
    return Answer(render_approval(row))


async def decide_many(request: HttpRequest, caller: Caller) -> Answer:
    """`POST /api/approvals/decisions`: each for itself; one that is refused keeps none back."""
    caller.principal.require("runs:approve")
    services = services_of(request.scope)
    given = read(_verdicts, request).decisions
    return Answer(ApprovalDecisions(results=await decide_approvals(services, caller, given)))


async def answer(request: HttpRequest, caller: Caller, run_id: str) -> Answer:
    """`POST /api/runs/{id}/answers`."""
    caller.principal.require("chat")
    reply = read(_reply, request)
    row = await answer_question(services_of(request.scope), caller, [run_id], reply)
    return Answer(Decided(id=row.call_id, run_id=row.run_id))


async def tool_result(request: HttpRequest, caller: Caller, run_id: str) -> Answer:
    """`POST /api/runs/{id}/tool-results`."""
    caller.principal.require("chat")
    given = read(_result, request)
    row = await give_result(services_of(request.scope), caller, [run_id], given)
    return Answer(Decided(id=row.call_id, run_id=row.run_id))


def approvals(request: HttpRequest, caller: Caller) -> Answer:
    """`GET /api/approvals`: those of the organisation, the newest first."""
    caller.principal.require("runs:approve")
    require_every_agent(caller)
    rows = access.approvals(caller).select_related("run__conversation")
    waiting = access.waiting(rows)
    status = request.GET.get("status")
    if status is not None and status not in DecisionStatus.values:
        raise invalid("status", f"This is one of: {', '.join(DecisionStatus.values)}.")
    if status == DecisionStatus.PENDING:
        rows = access.answerable(rows)
    elif status is not None:
        rows = rows.filter(status=status)
    found, cursor = newest(rows, page_of(request), by="requested_at")
    listed = [render_approval(row) for row in found]
    return Answer(ApprovalPage(approvals=listed, waiting=waiting, next_cursor=cursor))


OPERATIONS = (
    Operation(
        "GET",
        "approvals",
        approvals,
        name="listApprovals",
        summary="The tool calls of the organisation that somebody must approve, or has decided",
        scope="runs:approve",
        parameters=(
            *PAGE,
            Parameter(
                name="status",
                schema={"enum": list(DecisionStatus.values)},
                description="Only these.",
            ),
        ),
        answers={200: (ApprovalPage,)},
    ),
    Operation(
        "POST",
        "approvals/decisions",
        decide_many,
        name="decideApprovals",
        summary="Approve or decline several tool calls that wait, each for itself",
        scope="runs:approve",
        body=Verdicts,
        answers={200: (ApprovalDecisions,)},
    ),
    Operation(
        "POST",
        "runs/<run_id>/approvals/<approval_id>",
        decide,
        name="decideApproval",
        summary="Approve a tool call that waits, or decline it",
        scope="runs:approve",
        body=Verdict,
        answers={200: (ApprovalRequest,)},
        errors=("approval_not_found", "already_decided", "digest_mismatch"),
    ),
    Operation(
        "POST",
        "runs/<run_id>/answers",
        answer,
        name="answerQuestion",
        summary="Answer a question of the agent, or decline to",
        scope="chat",
        body=Reply,
        answers={200: (Decided,)},
        errors=("question_not_found", "already_decided"),
    ),
    Operation(
        "POST",
        "runs/<run_id>/tool-results",
        tool_result,
        name="giveToolResult",
        summary="Give the result of a tool that the client carries out",
        scope="chat",
        body=ClientResult,
        answers={200: (Decided,)},
        errors=("tool_call_not_found", "already_decided"),
    ),
)
