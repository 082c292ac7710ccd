"""`approvals.access`: what was approved beforehand is not asked again, until it is revoked."""

import pytest

from agents.caller import Caller
from approvals import access
from approvals.models import StandingApproval
from auditing.models import AuditEvent
from conversations.models import Run
from core.database import database_step
from engine.errors import ClawError
from engine.tools.registry import BUILTINS
from tests.agents.callers import having, visitor_of
from tests.conversations.execution.waiting.paying import Bank, pay


async def allow(bank: Bank, by: Caller, run: Run, always: str) -> StandingApproval:
    """Approve a call and all later ones; what that has made."""
    await bank.decide(by, run, "toolu_1", always=always)
    return await database_step(StandingApproval.objects.get)


async def status_of(bank: Bank, run: Run) -> str:
    return (await bank.stored(run)).status


async def given(caller: Caller) -> list[StandingApproval]:
    return await database_step(lambda: list(access.given(caller)))


async def test_b2_always_is_for_the_agent_marked_listed_and_revocable(
    bank: Bank, caller: Caller, approver: Caller
) -> None:
    row = await allow(bank, approver, await bank.run(caller, pay()), "agent")
    later = await bank.run(caller, pay(to="Ann"), name="another")
    assert (bank.paid, await status_of(bank, later)) == (["Bob", "Ann"], "completed")
    (decided,) = await bank.events(later, "approval_decided")
    assert (decided.by.kind, decided.by.id) == ("standing", row.id)
    (tool,) = (await bank.stored(later)).message.tools
    assert tool["approval"]["by"] == {"kind": "standing", "id": row.id}
    (listed,) = await given(approver)
    assert (listed.tool, listed.by_kind, listed.by_id) == ("pay", "key", approver.principal.id)

    await database_step(access.revoke, approver, row.id)
    asked = await bank.run(caller, pay(to="Cid"), name="third")
    assert (bank.paid, await status_of(bank, asked)) == (["Bob", "Ann"], "waiting")


async def test_b2_always_is_audited(bank: Bank, caller: Caller, approver: Caller) -> None:
    row = await allow(bank, approver, await bank.run(caller, pay()), "agent")
    await database_step(access.revoke, approver, row.id)
    events = await database_step(lambda: list(AuditEvent.objects.values()))
    told = {event["action"]: event for event in events}
    made = told["standing_approval.created"]
    assert {"approval.approved", "standing_approval.deleted"} <= told.keys()
    assert (made["actor_id"], made["after"]["tool"]) == (approver.principal.id, "pay")


async def test_b2_always_in_a_conversation_is_for_that_one(
    bank: Bank, caller: Caller, approver: Caller
) -> None:
    await allow(bank, approver, await bank.run(caller, pay(), name="one"), "conversation")
    same = await bank.run(caller, pay(to="Ann"), name="one")
    other = await bank.run(caller, pay(to="Eve"), name="two")
    assert [await status_of(bank, run) for run in (same, other)] == ["completed", "waiting"]
    assert bank.paid == ["Bob", "Ann"]


async def test_b2_a_tool_that_has_changed_asks_again(
    bank: Bank, caller: Caller, approver: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    await allow(bank, approver, await bank.run(caller, pay()), "agent")
    monkeypatch.setitem(BUILTINS, "pay", BUILTINS["pay"]._replace(description="Pays twice."))
    run = await bank.run(caller, pay(to="Eve"), name="two")
    assert (await status_of(bank, run), bank.paid) == ("waiting", ["Bob"])
    await allow(bank, approver, run, "agent")  # in place of the earlier one
    assert bank.paid == ["Bob", "Eve"]


async def test_a_call_that_waits_already_waits_for_its_own_decision(
    bank: Bank, caller: Caller, approver: Caller
) -> None:
    run = await bank.run(caller, pay(), pay("toolu_2", "Ann"))
    await allow(bank, approver, run, "agent")
    assert (bank.paid, await status_of(bank, run)) == (["Bob"], "waiting")


async def test_a_visitor_allows_in_its_own_conversation_alone(bank: Bank, caller: Caller) -> None:
    visitor, other = visitor_of(caller, "visitor:a"), visitor_of(caller, "visitor:b")
    run = await bank.run(visitor, pay(), approvers="visitor")
    with pytest.raises(ClawError) as refused:
        await bank.decide(visitor, run, "toolu_1", always="agent")
    assert (refused.value.code, bank.paid) == ("forbidden", [])
    row = await allow(bank, visitor, run, "conversation")
    await bank.run(visitor, pay(to="Ann"), approvers="visitor")
    assert bank.paid == ["Bob", "Ann"]
    assert await given(other) == []
    with pytest.raises(ClawError):
        await database_step(access.revoke, other, row.id)
    assert [one.id for one in await given(visitor)] == [row.id]


async def test_what_a_visitor_allowed_does_not_hold_where_members_decide(
    bank: Bank, caller: Caller
) -> None:
    visitor = visitor_of(caller, "visitor:a")
    run = await bank.run(visitor, pay(), approvers="visitor")
    await allow(bank, visitor, run, "conversation")
    later = await bank.run(visitor, pay(to="Eve"), approvers="members")
    assert (await status_of(bank, later), bank.paid) == ("waiting", ["Bob"])


async def test_strangers_find_nothing(
    bank: Bank, caller: Caller, approver: Caller, foreign_caller: Caller
) -> None:
    row = await allow(bank, approver, await bank.run(caller, pay()), "agent")
    scopes = foreign_caller.principal.scopes | {"runs:approve"}
    foreign = having(foreign_caller, scopes=scopes)
    assert await given(foreign) == []
    with pytest.raises(ClawError) as refused:
        await database_step(access.revoke, foreign, row.id)
    assert refused.value.code == "not_found"
    with pytest.raises(ClawError) as refused:
        await given(caller)
    assert refused.value.code == "forbidden"


async def test_it_is_bounded(
    bank: Bank, caller: Caller, approver: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "MAX_STANDING", 0)
    run = await bank.run(caller, pay())
    with pytest.raises(ClawError) as refused:
        await bank.decide(approver, run, "toolu_1", always="agent")
    assert (refused.value.code, bank.paid) == ("invalid_message", [])
    assert await status_of(bank, run) == "waiting"  # nothing of the decision was kept
