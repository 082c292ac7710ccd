"""`conversations.execution.setup.prompt`: what the model is sent first."""

import asyncio
import json
from dataclasses import replace

import msgspec

from agents.caller import Caller
from conversations.execution.setup import prompt
from conversations.execution.setup.prompt import Prompts, read_messages
from conversations.models import Message, Run
from core.database import database_step
from engine.request import PAGE, ToolSpec
from tests.conversations.parts import ask
from wire.native import PageContext


def texts(run: Run) -> list[str]:
    """The messages of its prompt, without the budget of its agent. Synchronous."""
    (messages,) = read_messages([run])
    return [message.text.content for message in messages]


async def test_it_works(transactional_db, caller: Caller) -> None:
    runs = [(await database_step(ask, caller, f"question {n}")).run for n in range(5)]
    prompts = Prompts()
    requests = await asyncio.gather(*(prompts.build(run, [], []) for run in runs))
    await prompts.aclose()

    assert [request.turns[-1].content for request in requests] == [
        f"question {number}" for number in range(5)
    ]
    assert {request.model for request in requests} == {"demo"}


def test_a_long_history_takes_no_other_s_room(caller, monkeypatch):
    monkeypatch.setattr("conversations.execution.setup.prompt.MAX_HISTORY", 4)
    turns = [("user", "a"), ("assistant", "b"), ("user", "c")]
    short, long = ask(caller, "short").run, ask(caller, messages=turns).run

    assert [
        [message.text.content for message in messages] for messages in read_messages([short, long])
    ] == [*(["short"], ["a", "b", "c"])]


def test_the_prompt_ends_with_the_run_s_own_message(caller):
    first = ask(caller, "one", conversation_id="abc").run
    Run.objects.filter(pk=first.pk).update(status="completed")
    Message.objects.filter(pk=first.message_id).update(content="answer", status="completed")
    second = ask(caller, "two", conversation_id="abc").run
    ask(caller, "three", conversation_id="abc")

    turns = [(message.text.role, message.text.content) for message in read_messages([second])[0]]
    assert turns == [("user", "one"), ("assistant", "answer"), ("user", "two")]


def test_p24_no_other_conversation_is_in_a_prompt(caller, foreign_caller):
    ask(caller, "mine", conversation_id="abc")
    ask(foreign_caller, "theirs", conversation_id="abc")
    run = ask(caller, "again").run

    assert texts(run) == ["again"]


async def test_the_agent_of_acceptance_decides_over_the_prompt(transactional_db, caller):
    agent = replace(
        caller.agent, instructions="Be kind.", context_tokens=3, max_tokens=7, thinking=True
    )
    caller = replace(caller, agent=agent)
    turns = [("user", "a" * 40), ("assistant", "b" * 40), ("user", "c")]
    run = (await database_step(ask, caller, messages=turns)).run
    request = await Prompts().build(run, [], [])

    assert (request.instructions, request.max_tokens, request.thinking) == ("Be kind.", 7, True)
    assert [turn.content for turn in request.turns] == ["c"]


async def test_tools_take_their_part_of_the_context(transactional_db, caller):
    caller = replace(caller, agent=replace(caller.agent, context_tokens=100))
    run = (await database_step(ask, caller, messages=[("user", "a"), ("user", "b" * 300)])).run
    tool = ToolSpec(name="n", description="d" * 200, input_schema={})
    for tools, turns in (([], 2), ([tool], 1)):
        request = await Prompts().build(run, tools, [])
        assert (request.tools, len(request.turns)) == (tools, turns)


def test_a_prompt_is_cut_by_bytes_and_keeps_its_question(caller, monkeypatch):
    """The oldest go first, whatever waits behind the question; bytes count, not characters."""
    monkeypatch.setattr(prompt, "MAX_PROMPT_BYTES", 1000)
    run = ask(caller, "Hello", conversation_id="abc").run
    for text in ("old" * 100, "é" * 250, "b" * 490):
        Message.objects.create(conversation=run.conversation, role="assistant", content=text)
    question = ask(caller, "And now?", conversation_id="abc").run
    sent = "".join(texts(question))
    assert "old" not in sent and sent.endswith("And now?")

    monkeypatch.setattr(prompt, "MAX_PROMPT_BYTES", 1)
    for each in (run, question):
        assert texts(each) == [each.user_message.content]


def test_the_model_is_told_the_page_as_data(caller):
    page = PageContext(title="الأخبار", selection="one\n> two", data={"plan": "pro\u2028x"})
    first = ask(caller, "one", conversation_id="abc", context=page).run
    Run.objects.filter(pk=first.pk).update(status="completed")
    second = ask(caller, "two", conversation_id="abc").run

    told, *_, asked = texts(second)
    assert asked == "two"
    text, note, data = told.split("\n\n")[0], *told.split("\n\n")[1].split("\n")
    assert (text, note) == ("one", PAGE)
    assert data.startswith("> ") and json.loads(data[2:]) == {
        **{"title": "الأخبار", "selection": "one\n> two"},
        "data": {"plan": "pro x"},
    }
    assert "الأخبار" in data
    assert len(told.splitlines()) == 4
    assert Message.objects.get(pk=first.user_message_id).context == msgspec.to_builtins(page)
    assert Message.objects.get(pk=second.user_message_id).context is None
