"""`conversations.execution.waiting.agent_tools`: agents that ask other agents."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from agents.caller import Caller
from agents.models import ApiKey
from conversations import access
from conversations.access import erasing
from conversations.execution.recovery import Recovery
from conversations.execution.waiting import children
from conversations.models import Conversation, Decision, Run
from conversations.process.services import Services
from conversations.runs.decide import answer_question, decide_approval
from conversations.runs.erase import erase_conversation
from conversations.runs.read import describe_run
from core.database import database_step
from engine.errors import ClawError
from engine.ids import child_id
from engine.providers.base import ToolRequest
from engine.tools.digest import digest
from tests.agents.callers import having, visitor_of
from tests.conversations.execution.waiting.office import Office, asks
from tests.conversations.execution.waiting.paying import Bank, pay
from tests.conversations.parts import reload
from tests.engine.scripted import HELLO, calls
from wire.native import Reply, Verdict

EXPERT = [{"agent": "expert"}]
PAYING = [{"builtin": "pay", "approval": "always"}]


@pytest.fixture
def short_lease(settings: Any) -> None:
    """What only a sweep finds is found after two seconds, as in the live tests."""
    settings.CLAW_RUN_LEASE = 2


@pytest.fixture
def office(short_lease: None, services: Services, monkeypatch: pytest.MonkeyPatch) -> Office:
    return Office(services, monkeypatch)


@pytest.fixture
def company(caller: Caller) -> str:
    return caller.principal.organization_id


async def decide(office: Office, caller: Caller, run: Run, id: str, digest: str) -> Decision:
    verdict = Verdict(args_digest=digest, approve=True)
    return await decide_approval(office.services, caller, run.pk, id, verdict)


async def test_it_works(office: Office, caller: Caller, company: str) -> None:
    expert = await office.hire(company, "expert", HELLO)
    run = await office.ask(caller, calls(asks("expert")), HELLO, tools=EXPERT)
    row = await office.ended(run)

    child = await office.row(child_id(run.pk, "toolu_1"))
    (call,) = await office.events(run, "tool_call")
    (result,) = await office.events(run, "tool_result")
    assert (call.tool, call.args, call.child_run_id) == (
        "expert",
        {"message": "How many?"},
        child.pk,
    )
    assert (result.result, result.is_error, result.child_run_id) == ("Hello", False, child.pk)
    assert (row.status, row.message.content) == ("completed", "Hello")
    assert row.message.tools[0]["childRunId"] == child.pk

    assert (child.status, child.parent_id, child.owner) == ("completed", run.pk, run.owner)
    assert (child.user_message.content, child.api_key_id) == ("How many?", run.api_key_id)
    assert child.usage["outputTokens"] and child.conversation.parent_id == run.conversation_id
    assert expert.requests[0].turns[0].content == "How many?"
    (started,) = await office.events(child, "run_started")
    assert started.parent_run_id == run.pk
    # The run asked no person for anything, so its watchers saw it at work all the time.
    assert [e.status for e in await office.events(run, "typing")] == ["start", "stop"]
    assert result.duration_ms >= 0


async def test_the_model_is_offered_whom_it_may_ask(
    office: Office, caller: Caller, company: str, foreign_agent
) -> None:
    tools = [*EXPERT, {"agent": foreign_agent.slug}, {"agent": "nobody"}]
    await office.hire(company, "expert")
    run = await office.ask(caller, HELLO, tools=tools)
    await office.ended(run)
    (request,) = office.models["boss"].requests
    (spec,) = request.tools
    assert (spec.name, spec.agent) == ("expert", True)
    assert "Expert" in spec.description
    assert spec.input_schema["required"] == ["message"]


async def test_while_it_waits_for_another_agent_it_is_at_work(
    office: Office, caller: Caller, company: str
) -> None:
    go_on = asyncio.Event()
    await office.hire(company, "expert", [go_on, *HELLO])
    run = await office.ask(caller, calls(asks("expert")), HELLO, tools=EXPERT)
    await office.reach(run, "run_waiting")
    await office.begun(run, "expert")
    row = await database_step(reload, run)
    described = await describe_run(office.services.log, row)
    assert (row.status, row.waits_until, described.status, described.pending) == (
        "waiting",
        None,
        "running",
        [],
    )
    assert (await office.transcript(run)).status == "streaming"
    go_on.set()
    assert (await office.ended(run)).status == "completed"


async def test_several_agents_are_asked_at_once(
    office: Office, caller: Caller, company: str
) -> None:
    go_on = asyncio.Event()
    await office.hire(company, "expert", [go_on, *HELLO], [go_on, *HELLO])
    both = calls(asks("expert", id="a"), asks("expert", id="b"))
    run = await office.ask(caller, both, HELLO, tools=EXPERT)
    await office.reach(run, "run_waiting")
    assert await database_step(Run.objects.filter(parent=run).count) == 2
    go_on.set()
    row = await office.ended(run)
    assert [tool["result"] for tool in row.message.tools] == ["Hello", "Hello"]


async def test_a_failure_is_a_result(office: Office, caller: Caller, company: str) -> None:
    await office.hire(company, "expert", [RuntimeError("inside")])
    asked = calls(
        asks("expert"), asks("expert", "  ", id="b"), asks("expert", "é" * 40_000, id="c")
    )
    run = await office.ask(caller, asked, HELLO, tools=EXPERT)
    row = await office.ended(run)
    results = {tool["id"]: tool for tool in row.message.tools}
    assert row.status == "completed" and all(tool["isError"] for tool in results.values())
    assert results["toolu_1"]["result"].startswith("The agent ended before its answer was complete")
    assert "inside" not in results["toolu_1"]["result"]
    assert "at most" in results["b"]["result"] == results["c"]["result"]
    assert await database_step(Run.objects.filter(parent=run).count) == 1


async def test_the_end_of_a_run_stops_what_it_has_begun(
    office: Office, caller: Caller, company: str
) -> None:
    """Also deeper down; while it runs, and while it waits."""
    await office.hire(company, "deep", [asyncio.Event()])
    await office.hire(company, "expert", calls(asks("deep")), tools=[{"agent": "deep"}])
    run = await office.ask(caller, calls(asks("expert")), tools=EXPERT)
    child = await office.begun(run, "expert")
    call = await office.reach(child, "tool_call")
    deepest = await office.begun(child, "deep", call.id)
    await office.reach(run, "run_waiting")
    await office.services.dispatcher.cancel(await database_step(reload, run))
    for each in (run, child, deepest):
        assert (await office.ended(each)).status == "cancelled"


async def test_agents_in_a_circle_and_too_deep_are_not_offered(
    office: Office, caller: Caller, company: str
) -> None:
    names = [caller.require_agent().slug, "one", "two", "three", "four"]
    everybody = [{"agent": name} for name in names]
    for name, other in zip(names[1:], [*names[2:], None], strict=True):
        scripts = [calls(asks(other)), HELLO] if other else [HELLO]
        await office.hire(company, name, *scripts, tools=everybody)
    run = await office.ask(caller, calls(asks("one")), HELLO, tools=everybody)
    assert (await office.ended(run)).status == "completed"
    offered = {
        name: {tool.name for tool in model.requests[0].tools}
        for name, model in office.models.items()
        if model.requests
    }
    assert offered == {
        "boss": {"one", "two", "three", "four"},
        "one": {"two", "three", "four"},
        "two": {"three", "four"},
        "three": set(),
    }


async def test_one_message_asks_agents_only_so_often(
    office: Office, caller: Caller, company: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "MAX_RUNS", 2)
    await office.hire(company, "expert", HELLO, HELLO)
    three = calls(*(asks("expert", id=str(n)) for n in range(3)))
    row = await office.ended(await office.ask(caller, three, HELLO, tools=EXPERT))
    failed = [tool["result"] for tool in row.message.tools if tool["isError"]]
    assert len(failed) == 1 and "too often" in failed[0]


async def test_a_budget_that_is_used_up_asks_nobody(
    office: Office, caller: Caller, company: str
) -> None:
    await office.hire(company, "expert", HELLO)
    await database_step(ApiKey.objects.filter(id=caller.principal.id).update, monthly_budget=0)
    row = await office.ended(await office.ask(caller, calls(asks("expert")), HELLO, tools=EXPERT))
    assert "budget" in row.message.tools[0]["result"]


async def test_an_approval_beneath_is_decided_above(
    office: Office, bank: Bank, caller: Caller, approver: Caller, company: str
) -> None:
    await office.hire(company, "expert", calls(pay()), HELLO, tools=PAYING)
    run = await office.ask(caller, calls(asks("expert")), HELLO, tools=EXPERT)
    required = await office.reach(run, "approval_required")
    child = await office.row(child_id(run.pk, "toolu_1"))
    await office.until(run, lambda event: event.type == "run_waiting" and bool(event.pending))
    shown = await describe_run(office.services.log, await database_step(reload, run))
    assert (shown.status, [call.id for call in shown.pending]) == ("waiting", [required.id])
    # Its id is not the model's: two runs may have the same.
    assert (required.child_run_id, required.id == "toolu_1") == (child.pk, False)
    assert required.args_digest == digest(child.pk, required.id, "pay", {"to": "Bob"})
    assert bank.paid == []

    await decide(office, approver, run, required.id, required.args_digest)
    row = await office.ended(run)
    (decided,) = await office.events(run, "approval_decided")
    assert (decided.id, decided.approved, decided.child_run_id) == (required.id, True, child.pk)
    assert (row.status, bank.paid, row.message.tools[0]["result"]) == (
        "completed",
        ["Bob"],
        "Hello",
    )
    assert (await database_step(reload, child)).message.tools[0]["approval"]["approved"]


async def test_it_is_also_decided_beneath_and_from_the_top_of_three(
    office: Office, bank: Bank, caller: Caller, approver: Caller, company: str
) -> None:
    await office.hire(company, "deep", calls(pay(), pay("b", "Ann")), HELLO, tools=PAYING)
    await office.hire(company, "expert", calls(asks("deep")), HELLO, tools=[{"agent": "deep"}])
    run = await office.ask(caller, calls(asks("expert")), HELLO, tools=EXPERT)
    await office.until(run, lambda event: event.type == "run_waiting" and len(event.pending) == 2)
    one, other = (await office.transcript(run)).pending
    beneath = await office.row(one.child_run_id or "")
    middle = await database_step(lambda: Run.objects.get(pk=beneath.parent_id))
    every = having(approver, scopes=approver.principal.scopes)
    await decide(office, every, run, one.id, one.args_digest or "")
    await decide(office, every, middle, other.id, other.args_digest or "")
    with pytest.raises(ClawError) as again:
        await decide(office, every, run, one.id, one.args_digest or "")
    assert again.value.code == "already_decided"
    assert (await office.ended(run)).status == "completed"
    assert sorted(bank.paid) == ["Ann", "Bob"]
    assert len(await office.events(run, "approval_decided")) == 2


async def test_a_question_beneath_is_answered_above(
    office: Office, caller: Caller, company: str
) -> None:
    question = ToolRequest("a", "ask_user", {"text": "Which?", "choices": ["Red", "Blue"]})
    asking = [{"builtin": "ask_user"}]
    await office.hire(company, "expert", calls(question), HELLO, tools=asking)
    run = await office.ask(caller, calls(asks("expert")), HELLO, tools=EXPERT)
    asked = await office.reach(run, "question")
    await office.until(run, lambda event: event.type == "run_waiting" and bool(event.pending))
    (pending,) = (await office.transcript(run)).pending
    assert (pending.kind, pending.text, pending.choices) == ("question", "Which?", ["Red", "Blue"])
    assert (pending.id, pending.child_run_id) == (asked.id, asked.child_run_id)

    await answer_question(office.services, caller, [run.pk], Reply(id=asked.id, text="Red"))
    row = await office.ended(run)
    answered, result = await office.events(run, "tool_result")
    assert (answered.id, answered.result, answered.client) == (asked.id, "Red", True)
    assert (row.status, result.result, len(row.message.tools)) == ("completed", "Hello", 1)
    child = await office.row(asked.child_run_id)
    assert child.message.tools[0]["result"] == "Red"


async def test_an_end_beneath_withdraws_what_was_asked_above(
    office: Office, bank: Bank, caller: Caller, company: str
) -> None:
    await office.hire(company, "expert", calls(pay()), tools=PAYING)
    run = await office.ask(caller, calls(asks("expert")), HELLO, tools=EXPERT)
    required = await office.reach(run, "approval_required")
    child = await office.row(required.child_run_id)
    await office.services.dispatcher.cancel(child)
    row = await office.ended(run)
    (decided,) = await office.events(run, "approval_decided")
    assert (decided.approved, decided.by.kind) == (False, "withdrawal")
    assert (row.status, (await office.transcript(run)).pending) == ("completed", [])
    assert "it was stopped" in row.message.tools[0]["result"]


async def test_a_visitor_decides_beneath_what_is_for_visitors(
    office: Office, bank: Bank, caller: Caller, company: str
) -> None:
    visitor, other = visitor_of(caller, "visitor:a"), visitor_of(caller, "visitor:b")
    tools = [PAYING[0] | {"approvers": "visitor"}]
    await office.hire(company, "expert", calls(pay()), HELLO, tools=tools)
    run = await office.ask(visitor, calls(asks("expert")), HELLO, tools=EXPERT)
    required = await office.reach(run, "approval_required")
    with pytest.raises(ClawError) as refused:
        await decide(office, other, run, required.id, required.args_digest)
    assert refused.value.code == "approval_not_found"
    await decide(office, visitor, run, required.id, required.args_digest)
    assert (await office.ended(run)).status == "completed"
    assert bank.paid == ["Bob"]


async def test_asking_may_want_an_approval(
    office: Office, caller: Caller, approver: Caller, company: str
) -> None:
    await office.hire(company, "expert", HELLO)
    tools = [{"agent": "expert", "approval": "always"}]
    run = await office.ask(caller, calls(asks("expert")), HELLO, tools=tools)
    required = await office.reach(run, "approval_required")
    assert not await database_step(Run.objects.filter(parent=run).exists)
    await decide(office, approver, run, required.id, required.args_digest)
    row = await office.ended(run)
    assert (row.status, row.message.tools[0]["result"]) == ("completed", "Hello")
    assert len(await office.events(run, "approval_decided")) == 1


async def test_a_run_whose_child_is_gone_goes_on(
    office: Office, caller: Caller, company: str
) -> None:
    """Somebody has erased the other agent's conversation."""
    await office.hire(company, "expert", [asyncio.Event()])
    run = await office.ask(caller, calls(asks("expert")), HELLO, tools=EXPERT)
    await office.reach(run, "run_waiting")
    child = await office.begun(run, "expert")
    await erase_conversation(office.services, child.conversation)
    assert (await office.ended(run)).status == "completed"


async def test_a_wait_for_nobody_ends(office: Office, caller: Caller, company: str) -> None:
    """Whatever has taken the other run away: the sweep finds it."""
    await office.hire(company, "expert", [asyncio.Event()])
    run = await office.ask(caller, calls(asks("expert")), HELLO, tools=EXPERT)
    await office.reach(run, "run_waiting")
    child = await office.begun(run, "expert")
    office.models["expert"].scripts.append(HELLO)
    await database_step(Run.objects.filter(pk=child.pk).delete)
    (recovery,) = [part for part in office.services.background if isinstance(part, Recovery)]
    while (await database_step(reload, run)).status == "waiting":
        await recovery.sweep()
    await office.services.dispatcher.cancel(child)
    assert (await office.ended(run)).status == "completed"


async def test_conversations_of_agents_with_agents_are_listed_nowhere_and_erased_together(
    office: Office, caller: Caller, company: str
) -> None:
    await office.hire(company, "deep", HELLO)
    await office.hire(company, "expert", calls(asks("deep")), HELLO, tools=[{"agent": "deep"}])
    run = await office.ask(caller, calls(asks("expert")), HELLO, tools=EXPERT)
    await office.ended(run)
    assert await database_step(Conversation.objects.count) == 3
    await erase_conversation(office.services, run.conversation)
    assert await database_step(Conversation.objects.count) == 0
    assert await database_step(Run.objects.count) == 0


def test_children_are_erased_before_what_they_belong_to(caller: Caller) -> None:
    """What a crash leaves in the middle is still found by its parent."""
    fields = {"organization_id": caller.principal.organization_id, "owner": "keys"}
    agent = caller.require_agent().id
    top = Conversation.objects.create(agent_id=agent, **fields)
    beneath = Conversation.objects.create(agent_id=agent, parent=top, **fields)
    erasing.erase_some(Conversation.objects.filter(pk=top.pk))
    assert list(Conversation.objects.all()) == [top] != [beneath]
    assert access.runs_below("run_1") == []


async def test_a_visitor_s_memory_is_asked_for_by_its_own_agent(
    office: Office, caller: Caller, company: str
) -> None:
    """The other agent has memories of the same visitor."""
    await office.hire(company, "expert", HELLO, tools=[{"builtin": "memory"}])
    visitor = visitor_of(caller, "visitor:a")
    run = await office.ask(visitor, calls(asks("expert")), HELLO, tools=EXPERT)
    await office.ended(run)
    tools = {tool.name for tool in office.models["expert"].requests[0].tools}
    assert "memory_search" in tools
    assert replace(visitor).principal.owner == "visitor:a"
