"""`conversations.execution.waiting.client_tools`: the asking client carries out the calls."""

import asyncio
import itertools
from dataclasses import replace
from typing import Any

import pytest

from agents.caller import Caller
from conversations.models import Run
from conversations.runs.decide import give_result
from engine.errors import ClawError
from engine.providers.base import ToolRequest
from tests.agents.callers import visitor_of
from tests.conversations.execution.waiting.shop import Shop
from tests.engine.scripted import FOREVER, HELLO, Scripted, calls
from wire.native import ClientResult, ClientTool

CART = ClientTool("add_to_cart", "Adds a product to the cart.", {"properties": {"sku": {}}})


def add(id: str = "toolu_1", sku: str = "A") -> ToolRequest:
    """A call of the page's tool."""
    return ToolRequest(id, "add_to_cart", {"sku": sku})


async def run_of(shop: Shop, caller: Caller, *uses: ToolRequest, **fields: Any) -> Run:
    """A run that waits for its client, which has brought the tool."""
    return await shop.ask(caller, *uses, has=fields.pop("has", []), **{"tools": [CART]} | fields)


async def give(
    shop: Shop,
    caller: Caller,
    run: Run,
    id: str = "toolu_1",
    result: Any = "added",
    **more: Any,
) -> None:
    """Give a result, and wait until the run waits or has ended."""
    await give_result(shop.services, caller, [run.pk], ClientResult(id=id, result=result, **more))
    await shop.waits(run)


async def refused(shop: Shop, caller: Caller, run: Run, **fields: Any) -> str:
    """The code with which a result is refused."""
    with pytest.raises(ClawError) as refusal:
        await give(shop, caller, run, **fields)
    return refusal.value.code


async def test_it_works(shop: Shop, caller: Caller) -> None:
    run = await run_of(shop, caller, add())
    (call,) = await shop.events(run, "tool_call")
    assert (call.id, call.tool, call.args, call.client) == (
        *("toolu_1", "add_to_cart", {"sku": "A"}, True),
    )
    assert (await shop.stored(run)).status == "waiting"

    await give(shop, caller, run, result={"items": 1})
    (result,) = await shop.events(run, "tool_result")
    assert (result.result, result.is_error, result.client) == ({"items": 1}, False, True)
    row = await shop.stored(run)
    assert (row.status, row.message.content) == ("completed", "Hello")
    assert row.message.tools[0]["result"] == {"items": 1}


async def test_the_model_sees_the_tool_and_the_result(shop: Shop, caller: Caller) -> None:
    model = shop.script(Scripted(calls(add()), HELLO))
    run = await run_of(shop, caller)
    (spec,) = model.requests[0].tools
    assert (spec.name, spec.description) == ("add_to_cart", "Adds a product to the cart.")
    assert spec.input_schema == {"type": "object", "properties": {"sku": {}}}
    await give(shop, caller, run, result="sold out", is_error=True)
    (block,) = model.requests[1].turns[-1].blocks
    assert (block["content"], block["is_error"]) == ("sold out", True)


@pytest.mark.parametrize("order", [*itertools.permutations(range(3))])
async def test_b2_results_in_any_order_each_land_on_their_own_call(
    shop: Shop, caller: Caller, order: tuple[int, ...]
) -> None:
    run = await run_of(shop, caller, *(add(f"toolu_{n}", str(n)) for n in range(3)))
    for n in order:
        assert (await shop.stored(run)).status == "waiting"
        await give(shop, caller, run, f"toolu_{n}", n)
    tools = await shop.tools(run)
    assert {id: tool["result"] for id, tool in tools.items()} == {f"toolu_{n}": n for n in range(3)}


async def test_the_server_carries_out_its_own_calls_meanwhile(shop: Shop, caller: Caller) -> None:
    time = ToolRequest("toolu_2", "current_time", {})
    run = await run_of(shop, caller, add(), time, has=[{"builtin": "current_time"}])
    (result,) = await shop.events(run, "tool_result")
    assert (result.tool, result.client) == ("current_time", False)
    await give(shop, caller, run)
    assert (await shop.stored(run)).status == "completed"


async def test_a_client_that_is_faster_than_the_run(shop: Shop, caller: Caller) -> None:
    """The call is told before the model has ended its turn: only then is there a row."""
    (step,) = calls(add())
    more = asyncio.Event()
    shop.script(Scripted([step[:1], more, step[1:]], HELLO))
    run = await shop.begin(caller, has=[], tools=[CART])
    await shop.reach(run, "tool_call")
    await give_result(shop.services, caller, [run.pk], ClientResult(id="toolu_1", result="added"))
    more.set()
    await shop.waits(run)
    row = await shop.stored(run)
    assert (row.status, row.attempt) == ("completed", 1)
    assert row.message.tools[0]["result"] == "added"


async def test_a_result_counts_once(shop: Shop, caller: Caller) -> None:
    run = await run_of(shop, caller, add(), add("toolu_2"))
    await give(shop, caller, run)
    assert await refused(shop, caller, run, result="again") == "already_decided"
    await give(shop, caller, run, "toolu_2")
    assert await refused(shop, caller, run, id="toolu_2") == "already_decided"


async def test_who_may_not_give_it(
    shop: Shop, caller: Caller, foreign_caller: Caller, second_caller: Caller
) -> None:
    visitor, other = visitor_of(caller, "visitor:a"), visitor_of(caller, "visitor:b")
    run = await run_of(shop, caller, add())
    for stranger in (foreign_caller, second_caller, visitor):
        assert await refused(shop, stranger, run) == "tool_call_not_found"
    listing = replace(caller, agent=replace(caller.require_agent(), client_tools=[CART.name]))
    own = await run_of(shop, visitor_of(listing, "visitor:a"), add())
    for stranger in (caller, other):
        assert await refused(shop, stranger, own) == "tool_call_not_found"
    await give(shop, visitor, own)
    assert (await shop.stored(own)).status == "completed"


async def test_no_other_call_and_no_other_run(shop: Shop, caller: Caller) -> None:
    run, other = await run_of(shop, caller, add()), await run_of(shop, caller, add("toolu_9"))
    assert await refused(shop, caller, run, id="toolu_9") == "tool_call_not_found"
    assert await refused(shop, caller, other, id="toolu_1") == "tool_call_not_found"
    assert await refused(shop, caller, Run(pk="run_\0")) == "tool_call_not_found"
    approval = [{"builtin": "current_time", "approval": "always"}]
    third = await run_of(shop, caller, ToolRequest("t", "current_time", {}), has=approval)
    assert await refused(shop, caller, third, id="t") == "tool_call_not_found"


async def test_a_long_result_is_cut_and_a_deep_one_is_refused(
    shop: Shop, caller: Caller, settings
) -> None:
    settings.CLAW_TOOL_RESULT_BYTES = 1000
    run = await run_of(shop, caller, add())
    deep: Any = []
    for _ in range(500):
        deep = [deep]
    assert await refused(shop, caller, run, result=deep) == "invalid_message"
    await give(shop, caller, run, result="x\0" * 5000)
    assert len((await shop.row(run, "toolu_1")).given) < 1000
    assert "was cut here" in (await shop.tools(run))["toolu_1"]["result"]


async def test_the_model_is_told_that_nobody_gave_a_result(shop: Shop, caller: Caller) -> None:
    run = await run_of(shop, caller, add())
    await shop.expire(run)
    row = await shop.stored(run)
    assert row.status == "completed" and row.message.tools[0]["isError"]
    assert "expired" in row.message.tools[0]["result"]
    assert await refused(shop, caller, run) == "already_decided"


async def test_a_cancel_ends_the_wait(shop: Shop, caller: Caller) -> None:
    run = await run_of(shop, caller, add())
    await shop.services.dispatcher.cancel(await shop.stored(run))
    await shop.waits(run)
    assert (await shop.row(run, "toolu_1")).status == "withdrawn"
    assert await refused(shop, caller, run) == "already_decided"


async def test_a_visitor_brings_what_the_agent_lists(shop: Shop, caller: Caller) -> None:
    visitor = visitor_of(caller, "visitor:a")
    model = shop.script(Scripted(HELLO, HELLO))
    await run_of(shop, visitor)
    listing = replace(caller, agent=replace(caller.require_agent(), client_tools=[CART.name]))
    await run_of(shop, visitor_of(listing, "visitor:a"), tools=[CART, ClientTool("other")])
    assert [[spec.name for spec in request.tools] for request in model.requests] == [
        [],
        ["add_to_cart"],
    ]


@pytest.mark.parametrize(
    ("own", "name"),
    [
        ({"builtin": "current_time"}, "current_time"),
        ({"builtin": "memory"}, "memory_save"),
        ({"mcpServer": "mcp_1", "name": "add to cart"}, "add_to_cart"),
        ({"mcpServer": "mcp_1", "name": "add", "rename": "sum"}, "sum"),
    ],
)
async def test_no_tool_takes_the_name_of_one_of_the_agent(
    shop: Shop, caller: Caller, own: dict[str, Any], name: str
) -> None:
    with pytest.raises(ClawError) as refusal:
        await run_of(shop, caller, has=[own], tools=[CART, ClientTool(name)][-1:])
    assert refusal.value.details == {"field": "tools[0].name"}


async def test_nobody_waits_for_a_call_of_a_turn_that_a_crash_has_cut(
    shop: Shop, caller: Caller
) -> None:
    """The model had not said all: it is asked to go on, and has not made that call."""
    (step,) = calls(add())
    model = shop.script(Scripted([step[:1], FOREVER()], HELLO))
    agent = replace(caller.require_agent(), on_crash="continue")
    run = await shop.begin(replace(caller, agent=agent), has=[], tools=[CART])
    await shop.reach(run, "tool_call")
    await shop.crash(run)
    row = await shop.stored(run)
    assert (row.status, len(model.requests)) == ("completed", 2)
    assert "may have run" in row.message.tools[0]["result"]
    assert await refused(shop, caller, run) == "tool_call_not_found"


async def test_later_questions_send_the_calls_again_only_with_the_same_tools(
    shop: Shop, caller: Caller
) -> None:
    model = shop.script(Scripted(calls(add()), HELLO, HELLO, HELLO))
    run = await run_of(shop, caller, conversation_id="c1")
    await give(shop, caller, run)
    await run_of(shop, caller, conversation_id="c1")
    assert any(turn.blocks for turn in model.requests[2].turns)
    await run_of(shop, caller, conversation_id="c1", tools=[])
    assert not any(turn.blocks for turn in model.requests[3].turns)


# --- other people's protocols, in which the next message brings the result

HANDED_OVER = {"hands_over": True}


async def test_a_call_that_is_handed_over_ends_the_answer(shop: Shop, caller: Caller) -> None:
    uses = [add(), ToolRequest("toolu_2", "current_time", {})]
    has = [{"builtin": "current_time"}]
    run = await run_of(shop, caller, *uses, has=has, foreign=HANDED_OVER)
    row = await shop.stored(run)
    assert (row.status, row.message.stop_reason) == ("completed", "tool_use")
    tools = await shop.tools(run)
    assert "result" not in tools["toolu_1"] and "result" in tools["toolu_2"]
    assert not await shop.events(run, "run_waiting")
    code = await refused(shop, caller, run)
    assert code == "tool_call_not_found"


async def test_an_approval_beside_it_is_waited_for(shop: Shop, caller: Caller) -> None:
    uses = [add(), ToolRequest("toolu_2", "current_time", {})]
    has = [{"builtin": "current_time", "approval": "always"}]
    run = await run_of(shop, caller, *uses, has=has, foreign=HANDED_OVER)
    assert (await shop.stored(run)).status == "waiting"


async def test_what_was_handed_over_is_told_once_after_a_crash(shop: Shop, caller: Caller) -> None:
    run = await run_of(shop, caller, add(), foreign=HANDED_OVER)
    await shop.recover(run)
    assert len(await shop.events(run, "tool_call")) == 1
