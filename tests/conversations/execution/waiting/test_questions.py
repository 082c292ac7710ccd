"""`conversations.execution.waiting.questions`: the agent asks, and whoever talks to it answers."""

from typing import Any

import pytest

from agents.caller import Caller
from conversations.models import Decision, Run
from conversations.runs.decide import answer_question
from engine.errors import ClawError
from engine.providers.base import ToolRequest
from tests.agents.callers import visitor_of
from tests.conversations.execution.waiting.shop import Shop
from tests.engine.scripted import HELLO, Scripted, calls
from wire.native import Reply

ASKING = [{"builtin": "ask_user"}]


def question(id: str = "toolu_1", text: str = "Which size?", **args: Any) -> ToolRequest:
    """A call of the tool."""
    return ToolRequest(id, "ask_user", {"text": text, **args})


async def run_of(shop: Shop, caller: Caller, *uses: ToolRequest, **fields: Any) -> Run:
    """A run that waits for the answers to these questions."""
    return await shop.ask(caller, *uses, has=ASKING, **fields)


async def answer(shop: Shop, caller: Caller, run: Run, id: str = "toolu_1", **reply: Any) -> None:
    """Answer, and wait until the run waits or has ended."""
    await answer_question(shop.services, caller, [run.pk], Reply(id=id, **reply))
    await shop.waits(run)


async def refused(shop: Shop, caller: Caller, run: Run, **reply: Any) -> str:
    """The code with which an answer is refused."""
    with pytest.raises(ClawError) as refusal:
        await answer(shop, caller, run, **{"text": "Large"} | reply)
    return refusal.value.code


async def test_it_works(shop: Shop, caller: Caller) -> None:
    run = await run_of(shop, caller, question(choices=["Small", "Large"]))
    (asked,) = await shop.events(run, "question")
    assert (asked.id, asked.text, asked.choices) == ("toolu_1", "Which size?", ["Small", "Large"])
    assert asked.expires_at == (await shop.row(run, "toolu_1")).expires_at
    assert (await shop.stored(run)).status == "waiting"

    await answer(shop, caller, run, text="Large")
    (result,) = await shop.events(run, "tool_result")
    assert (result.result, result.is_error, result.client) == ("Large", False, True)
    row = await shop.stored(run)
    assert (row.status, row.message.content) == ("completed", "Hello")
    assert row.message.tools[0]["result"] == "Large"


async def test_the_model_sees_the_tool_and_the_answer(shop: Shop, caller: Caller) -> None:
    model = shop.script(Scripted(calls(question()), HELLO))
    run = await run_of(shop, caller)
    (spec,) = model.requests[0].tools
    assert (spec.name, spec.client) == ("ask_user", False)
    assert spec.input_schema["required"] == ["text"]
    await answer(shop, caller, run, text="The large one, please.")
    assert model.requests[1].turns[-1].blocks[0]["content"] == "The large one, please."


async def test_several_questions_and_each_answer_on_its_own(shop: Shop, caller: Caller) -> None:
    run = await run_of(shop, caller, question("a", "Size?"), question("b", "Colour?"))
    await answer(shop, caller, run, "b", text="Blue")
    assert (await shop.stored(run)).status == "waiting"
    await answer(shop, caller, run, "a", text="Large")
    results = {id: tool["result"] for id, tool in (await shop.tools(run)).items()}
    assert results == {"a": "Large", "b": "Blue"}


async def test_the_answer_is_one_of_the_choices_however_it_is_written(
    shop: Shop, caller: Caller
) -> None:
    run = await run_of(shop, caller, question(choices=["Small", "Large"]))
    assert await refused(shop, caller, run, text="Medium") == "invalid_message"
    await answer(shop, caller, run, text=" large\n")
    assert (await shop.row(run, "toolu_1")).given == "Large"


async def test_choices_that_differ_in_their_case_are_told_apart(shop: Shop, caller: Caller) -> None:
    run = await run_of(shop, caller, question(choices=["a", "A"]))
    assert await refused(shop, caller, run, text=" a") == "invalid_message"
    await answer(shop, caller, run, text="A")
    assert (await shop.row(run, "toolu_1")).given == "A"


async def test_a_question_is_declined(shop: Shop, caller: Caller) -> None:
    run = await run_of(shop, caller, question())
    await answer(shop, caller, run, decline=True)
    (tool,) = (await shop.tools(run)).values()
    assert tool["isError"] and "not want to answer" in tool["result"]
    assert (await shop.stored(run)).status == "completed"


@pytest.mark.parametrize("reply", [{"text": None}, {"text": " "}, {"decline": True}])
async def test_a_reply_is_an_answer_or_declines(shop: Shop, caller: Caller, reply: Any) -> None:
    run = await run_of(shop, caller, question())
    assert await refused(shop, caller, run, **reply) == "invalid_message"


async def test_the_model_is_told_that_nobody_answered(shop: Shop, caller: Caller) -> None:
    run = await run_of(shop, caller, question())
    await shop.expire(run)
    (tool,) = (await shop.tools(run)).values()
    assert tool["isError"] and "expired" in tool["result"]
    assert (await shop.row(run, "toolu_1")).status == "expired"
    assert await refused(shop, caller, run) == "already_decided"


async def test_an_answer_counts_once_and_a_cancel_withdraws_the_question(
    shop: Shop, caller: Caller
) -> None:
    run = await run_of(shop, caller, question("a"), question("b"))
    await answer(shop, caller, run, "a", text="Large")
    assert await refused(shop, caller, run, id="a") == "already_decided"
    await shop.services.dispatcher.cancel(await shop.stored(run))
    await shop.waits(run)
    assert (await shop.row(run, "b")).status == "withdrawn"
    assert await refused(shop, caller, run, id="b") == "already_decided"


async def test_nobody_answers_for_somebody_else(
    shop: Shop, caller: Caller, approver: Caller, foreign_caller: Caller, second_caller: Caller
) -> None:
    """Not even who may approve: it is a question to whoever talks to the agent."""
    visitor, other = visitor_of(caller, "visitor:a"), visitor_of(caller, "visitor:b")
    run = await run_of(shop, visitor, question())
    for stranger in (foreign_caller, second_caller, caller, approver, other):
        assert await refused(shop, stranger, run) == "question_not_found"
    assert await refused(shop, visitor, Run(pk="run_x")) == "question_not_found"
    await answer(shop, visitor, run, text="Large")
    assert (await shop.stored(run)).status == "completed"


@pytest.mark.parametrize(
    "args",
    [
        {"text": " "},
        {"text": 1},
        {"choices": ["a"] * 21},
        {"choices": ["a" * 201]},
        {"choices": "Small"},
    ],
)
async def test_a_model_that_asks_wrongly_is_told_so(
    shop: Shop, caller: Caller, args: dict[str, Any]
) -> None:
    run = await run_of(shop, caller, ToolRequest("toolu_1", "ask_user", {"text": "Size?"} | args))
    (tool,) = (await shop.tools(run)).values()
    assert tool["isError"] and (await shop.stored(run)).status == "completed"


async def test_blank_choices_and_those_named_twice_are_left_out(shop: Shop, caller: Caller) -> None:
    run = await run_of(shop, caller, question(choices=["Small", " ", "Small ", "Large"]))
    (asked,) = await shop.events(run, "question")
    assert asked.choices == ["Small", "Large"]
    none = await run_of(shop, caller, question("b", choices=[]))
    (asked,) = await shop.events(none, "question")
    assert asked.choices is None


async def test_a_question_cannot_be_approved(shop: Shop, caller: Caller) -> None:
    """Its row is no approval, whatever names it."""
    run = await run_of(shop, caller, question())
    row = await shop.row(run, "toolu_1")
    assert row.kind == Decision.Kind.QUESTION
    assert (row.tool, row.args) == ("ask_user", {"text": "Which size?"})
