"""Decide what a run waits for. Rights come before everything else that may be wrong."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any, TypeAlias

from django.conf import settings
from django.db.models import QuerySet

from agents.caller import Caller
from agents.principal import actor_of
from auditing.actors import acting
from auditing.recording import record
from conversations import access
from conversations.execution.waiting import decisions
from conversations.models import Decision, DecisionStatus, Run
from conversations.process.services import Services
from conversations.runs.read import transcript_of
from core.database import database_step
from engine.errors import ClawError, invalid
from engine.tools.mcp.form import with_defaults
from engine.tools.results import bounded
from engine.tools.schema import fits
from wire.native import (
    ClientResult,
    NamedVerdict,
    Reply,
    Verdict,
    check_reply,
    check_verdict,
)
from wire.objects.conversations import ApprovalDecision, Refusal

MAX_SAME = 100
"""Calls of one id that are looked at."""

AUDITED = frozenset({"already_decided", "digest_mismatch"})
"""Refusals that the audit log tells of: somebody has decided again, or about something else."""

Store: TypeAlias = Callable[..., tuple[Decision, list[Run]]]
"""Stores a decision; returns its row, and the runs that are to be submitted."""


async def decide_approval(
    services: Services, caller: Caller, run_id: str | None, id: str, verdict: Verdict
) -> Decision:
    """Approve or deny the tool call `id` of a run, which goes on, and with `always` approve the
    later ones; without `run_id` the digest tells which run. Returns the row.

    Raises `approval_not_found`, `forbidden`, `digest_mismatch`, `already_decided`,
    `invalid_message`."""
    row = await database_step(_approval, caller, run_id, id, verdict.args_digest)
    try:
        return await _decide(services, caller, row, verdict)
    except ClawError as refusal:
        if refusal.code in AUDITED and caller.principal.trusted:
            await database_step(
                record,
                row.organization_id,
                "approval.refused",
                subject_id=row.call_id,
                subject_name=row.tool,
                after={"code": refusal.code},
                by=actor_of(caller.principal, caller.client),
            )
        raise


async def _decide(services: Services, caller: Caller, row: Decision, verdict: Verdict) -> Decision:
    """Decide about a call that the caller knows of."""
    if not caller.principal.trusted and row.approvers != "visitor":
        raise ClawError("forbidden", "This is for members of the organisation to approve.")
    check_verdict(verdict)
    if verdict.args_digest != row.digest:
        raise ClawError("digest_mismatch", "These are not the arguments of the call that waits.")
    if verdict.args is not None and not await _may_be(verdict.args, row.schema):
        raise invalid("args", "These arguments cannot be changed so.")
    if verdict.always == "agent" and not caller.principal.trusted:
        raise ClawError("forbidden", "You may approve later calls in this conversation alone.")
    status = DecisionStatus.APPROVED if verdict.approve else DecisionStatus.DENIED
    changes = {"status": status, "given": verdict.args, "reason": verdict.reason or ""}
    with acting(actor_of(caller.principal, caller.client)):
        store = partial(decisions.decide_call, by=caller.principal, always=verdict.always)
        return await _store(services, caller, store, row, changes=changes)


async def decide_approvals(
    services: Services, caller: Caller, verdicts: Sequence[NamedVerdict]
) -> list[ApprovalDecision]:
    """Each decision for itself, one after the other, and what became of it. Raises nothing of
    `decide_approval`."""
    results = []
    for verdict in verdicts:
        named = partial(ApprovalDecision, run_id=verdict.run_id, id=verdict.id)
        try:
            row = await decide_approval(services, caller, verdict.run_id, verdict.id, verdict)
        except ClawError as refused:
            results.append(named(error=Refusal(code=refused.code, message=refused.message)))
        else:
            results.append(named(status=row.status))
    return results


async def answer_question(
    services: Services, caller: Caller, run_ids: Collection[str], reply: Reply
) -> Decision:
    """Answer a question of the agent in one of these runs, which goes on, or decline to. Where it
    has choices the answer is one of them, however it is written. Returns the row.

    Raises `forbidden`, `question_not_found`, `already_decided`, `invalid_message`."""
    caller.principal.require("chat")
    row = await database_step(_of_client, caller, Decision.Kind.QUESTION, run_ids, reply.id)
    if row is None:
        raise ClawError("question_not_found", "No question to you has this id.")
    check_reply(reply)
    given = None if reply.text is None else _chosen(reply.text, row.args.get("choices"))
    if given is not None and (schema := row.args.get("schema")) is not None:
        await _check_fits(given, schema)
    status = DecisionStatus.DENIED if reply.decline else DecisionStatus.APPROVED
    changes = {"status": status, "given": given}
    return await _store(services, caller, decisions.decide, row, changes=changes)


async def give_result(
    services: Services, caller: Caller, run_ids: Collection[str], given: ClientResult
) -> Decision:
    """Give the result of a call of a client's tool, in one of these runs, which goes on. One that
    is too long is cut, as all results are. Returns the row.

    Raises `forbidden`, `tool_call_not_found`, `already_decided`, `invalid_message`."""
    caller.principal.require("chat")
    try:
        result = bounded(given.result, settings.CLAW_TOOL_RESULT_BYTES)
    except ValueError:
        raise invalid("result", "This is nested too deeply, or a number is too large.") from None
    changes = {"status": DecisionStatus.APPROVED, "given": result, "is_error": given.is_error}
    row = await database_step(_of_client, caller, Decision.Kind.CLIENT_TOOL, run_ids, given.id)
    if row is not None:
        return await _store(services, caller, decisions.decide, row, changes=changes)
    for run in await database_step(access.unfinished_of, caller, run_ids):
        transcript = await transcript_of(services.log, run)
        for call in transcript.pending if transcript else ():
            if (call.kind, call.id) == ("client_tool", given.id):
                return await _store(services, caller, decisions.give, run, call, changes=changes)
    raise ClawError("tool_call_not_found", "No call of a tool of yours has this id.")


async def _store(
    services: Services, caller: Caller, store: Store, *what: Any, changes: dict[str, Any]
) -> Decision:
    """Store what the caller has decided, and let its run go on."""
    principal, dispatcher = caller.principal, services.dispatcher
    changes["decided_by"] = {"kind": principal.kind.value, "id": principal.id}
    decided, woken = await database_step(store, *what, changes, dispatcher.enqueue)
    for run in woken:
        dispatcher.submit(run)
    return decided


def _chosen(text: str, choices: list[str] | None) -> str:
    """The text, or the choice that it means."""
    if not choices or text in choices:
        return text
    meant = [one for one in choices if one.casefold() == text.strip().casefold()]
    if len(meant) != 1:
        raise invalid("text", "The answer is one of the choices.")
    return meant[0]


async def _check_fits(text: str, schema: dict[str, Any]) -> None:
    """Raise `invalid_message` unless the answer is a JSON object that fits, with the defaults of
    what it lacks."""
    try:
        args = with_defaults(text, schema)
    except ValueError:
        raise invalid("text", "The answer is a JSON object that fits the schema.") from None
    if not await _may_be(args, schema):
        raise invalid("text", "The answer does not fit the schema.")


async def _may_be(args: dict[str, Any], schema: dict[str, Any] | None) -> bool:
    """Whether these may be the arguments. In a thread: a schema may be large."""
    return schema is not None and await asyncio.to_thread(fits, args, schema)


def _approval(caller: Caller, run_id: str | None, id: str, digest: str) -> Decision:
    rows = _named(access.approvals(caller), None if run_id is None else [run_id], id)
    if not rows:
        raise ClawError("approval_not_found", "There is no such approval.")
    return next((row for row in rows if row.digest == digest), rows[0])


def _of_client(caller: Caller, kind: str, run_ids: Collection[str], id: str) -> Decision | None:
    """The decision with this id that waits for the caller in one of these runs, else a past one."""
    rows = _named(access.decisions(caller).filter(kind=kind), run_ids, id)
    return next(
        (row for row in rows if row.status == DecisionStatus.PENDING), next(iter(rows), None)
    )


def _named(rows: QuerySet[Decision], run_ids: Collection[str] | None, id: str) -> list[Decision]:
    """The rows for a call of this id, the newest first: a model's ids are unique in a run only."""
    if any(map(access.impossible, (id, *(run_ids or ())))):
        return []
    named = rows.filter(call_id=id)
    if run_ids is not None:
        named = named.filter(access.of_runs(run_ids))
    return list(named.select_related("run").order_by("-requested_at")[:MAX_SAME])
