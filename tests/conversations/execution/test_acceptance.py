"""`conversations.execution.acceptance`: what is stored for a message, and what is refused."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agents.auth.rotation import rotate
from agents.caller import AgentConfig
from agents.models import ApiKey
from conversations import access
from conversations.execution.acceptance import Acceptance, Asked, accept
from conversations.models import Conversation, Message, Run
from conversations.usage import spending
from core.database import database_step
from engine.errors import ClawError
from tests.agents.callers import allowed, having, visitor_of
from tests.conversations.parts import accepted, ask, asked, reload
from wire.native import MAX_TURNS, ChatRequest


def refused(make: Callable[..., Any], *arguments: Any, **fields: Any) -> str:
    """The code of the error; nothing is stored by what is refused."""
    before = Conversation.objects.count(), Message.objects.count(), Run.objects.count()
    with pytest.raises(ClawError) as raised:
        make(*arguments, **fields)
    assert before == (Conversation.objects.count(), Message.objects.count(), Run.objects.count())
    return raised.value.code


def end(run: Run, **fields: Any) -> None:
    Run.objects.filter(pk=run.pk).update(status="completed", **fields)
    spending.add([reload(run)])


def in_parallel(count: int, function: Callable[[int], Any]) -> list[Any]:
    """What `function` returns, called by so many threads at once."""

    def call(number: int) -> Any:
        try:
            return function(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(call, range(count)))


def test_it_works(caller):
    accepted = ask(caller, "Hello,\n  world!", client_message_id="m-1")

    run = Run.objects.get()
    assert (accepted.run, accepted.new, accepted.place) == (run, True, None)
    assert (run.status, run.attempt, run.owner, run.client_message_id) == (
        *("queued", 0, "keys"),
        "m-1",
    )
    assert (run.organization_id, run.agent_id, run.api_key_id) == (
        caller.principal.organization_id,
        caller.agent.id,
        caller.principal.key_id,
    )
    asked, answer = Message.objects.order_by("id")
    assert (asked.role, asked.content, asked.status) == ("user", "Hello,\n  world!", "completed")
    assert (answer.role, answer.content, answer.status) == ("assistant", "", "queued")
    assert (run.user_message, run.message) == (asked, answer)
    assert Conversation.objects.get().title == "Hello, world!"


def test_the_agent_is_kept_as_it_was(caller, agent):
    run = ask(caller).run
    agent.instructions = "Changed since."
    agent.save()

    stored = AgentConfig.stored(Run.objects.get(pk=run.pk).config)
    assert stored == replace(caller.agent, provider="demo", model="demo")


def test_a_message_goes_on_in_the_conversation_that_it_names(caller):
    first = ask(caller).run
    end(first)

    by_id = ask(caller, conversation_id=first.conversation_id).run
    assert by_id.conversation == first.conversation


@pytest.mark.parametrize("name", ["my-chat", "conv_looks_like_ours"])
def test_an_unknown_name_becomes_the_alias_of_a_new_conversation(caller, name):
    first = ask(caller, conversation_id=name).run
    end(first)
    second = ask(caller, conversation_id=name).run

    assert first.conversation == second.conversation
    assert second.conversation.public_id == name
    assert Conversation.objects.count() == 1


def test_p24_an_alias_belongs_to_agent_and_owner(caller, foreign_caller, second_caller):
    visitor = visitor_of(caller, "visitor:1")
    runs = [
        ask(who, conversation_id="abc").run
        for who in (caller, foreign_caller, second_caller, visitor)
    ]

    assert len({run.conversation_id for run in runs}) == 4


def test_p25_a_foreign_conversation_s_id_is_a_name_like_any_other(caller, foreign_caller):
    theirs = ask(foreign_caller, "secret").run.conversation

    mine = ask(caller, conversation_id=theirs.id).run.conversation

    assert mine != theirs
    assert (mine.alias, mine.organization_id) == (theirs.id, caller.principal.organization_id)


def test_a_history_is_stored_before_its_last_message(caller):
    turns = [("user", "a"), ("assistant", "b"), ("user", "c")]
    run = ask(caller, messages=turns).run

    rows = Message.objects.order_by("id").values_list("role", "content", "status")
    assert [row[:2] for row in rows] == [*turns, ("assistant", "")]
    assert run.user_message.content == "c"
    assert [row[2] for row in rows] == ["completed"] * 3 + ["queued"]


def test_a_history_always_begins_a_conversation(caller):
    first = ask(caller, conversation_id="abc", messages=[("user", "a")]).run

    assert refused(ask, caller, conversation_id="abc", messages=[("user", "b")]) == (
        "invalid_message"
    )
    assert first.conversation.alias == "abc"


def test_what_waits_has_a_place_in_line(caller):
    runs = [ask(caller, conversation_id="abc") for _ in range(3)]

    assert [accepted.place for accepted in runs] == [None, 1, 2]


def test_ten_may_wait(caller):
    first = ask(caller, conversation_id="abc").run
    for place in range(1, 11):
        assert ask(caller, conversation_id="abc").place == place

    assert refused(ask, caller, conversation_id="abc") == "conversation_busy"
    end(first)
    assert ask(caller, conversation_id="abc").place == 10
    assert ask(caller).place is None  # another conversation is not busy


def test_an_answer_may_be_refused_instead_of_waiting(caller):
    first = ask(caller, conversation_id="abc", if_busy="reject").run

    assert refused(ask, caller, conversation_id="abc", if_busy="reject") == "conversation_busy"
    end(first)
    assert ask(caller, conversation_id="abc", if_busy="reject").place is None


def test_a_message_may_interrupt_all_that_is_before_it(caller):
    before = [ask(caller, conversation_id="abc").run for _ in range(2)]
    ended = ask(caller, conversation_id="abc").run
    end(ended)

    accepted = ask(caller, conversation_id="abc", if_busy="interrupt")
    assert set(accepted.interrupts) == set(before)


def test_p7_the_same_client_message_is_the_same_run(caller):
    first = ask(caller, "Hello", client_message_id="m-1", conversation_id="abc")
    again = ask(caller, "Hello", client_message_id="m-1", conversation_id="abc")
    elsewhere = ask(caller, "Hello", client_message_id="m-1")

    assert first.run == again.run == elsewhere.run
    assert (again.new, again.run.conversation.public_id) == (False, "abc")
    assert Conversation.objects.count() == Run.objects.count() == 1


def test_p7_another_message_under_the_same_name_is_a_conflict(caller):
    ask(caller, "Hello", client_message_id="m-1")

    assert refused(ask, caller, "Goodbye", client_message_id="m-1") == "idempotency_conflict"
    turns = [("user", "a"), ("user", "Hello")]
    assert refused(ask, caller, messages=turns, client_message_id="m-1") == "idempotency_conflict"


def test_p7_a_retry_needs_no_room_and_no_budget(caller):
    turns = [("user", "Hello")]
    first = ask(caller, conversation_id="abc", messages=turns, client_message_id="m-1").run
    for _ in range(10):
        ask(caller, conversation_id="abc")
    assert refused(ask, caller, conversation_id="abc") == "conversation_busy"

    poor = allowed(caller, monthly_budget=Decimal(0))
    for who in (caller, poor):
        again = ask(who, conversation_id="abc", messages=turns, client_message_id="m-1")
        assert (again.run, again.new) == (first, False)


def test_p24_a_client_message_belongs_to_agent_and_owner(caller, foreign_caller, second_caller):
    visitor = visitor_of(caller, "visitor:1")
    accepted = [
        ask(who, "same", client_message_id="m-1")
        for who in (caller, foreign_caller, second_caller, visitor)
    ]

    assert all(one.new for one in accepted)


def test_a_key_s_budget_of_the_month_is_kept(caller, foreign_caller):
    caller = allowed(caller, monthly_budget=Decimal("0.50"))
    end(ask(caller).run, cost=Decimal("0.30"))
    last_month = ask(caller).run
    end(last_month, cost=9, created_at=timezone.now().replace(day=1) - timedelta(days=2))
    end(ask(foreign_caller).run, cost=9)
    end(ask(caller).run, cost=None)

    end(ask(caller).run, cost=Decimal("0.20"))

    assert refused(ask, caller) == "budget_exceeded"
    assert ask(allowed(caller, monthly_budget=None)).new


def test_what_a_key_was_rotated_to_shares_its_budget(caller, key):
    caller = allowed(caller, monthly_budget=Decimal("0.50"))
    end(ask(caller).run, cost=Decimal("0.50"))
    successor, _ = rotate(key[0])

    assert refused(ask, having(caller, id=successor.id)) == "budget_exceeded"


def test_p7_twenty_at_once_create_one(caller):
    accepted = in_parallel(
        20,
        lambda _: ask(caller, "Hello", client_message_id="m-1", conversation_id="abc"),
    )

    assert sum(one.new for one in accepted) == 1
    assert len({one.run.pk for one in accepted}) == 1
    assert (Conversation.objects.count(), Message.objects.count(), Run.objects.count()) == (1, 2, 1)


def test_of_many_first_messages_at_once_one_creates_the_conversation(caller):
    accepted = in_parallel(8, lambda number: ask(caller, str(number), conversation_id="abc"))

    assert all(one.new for one in accepted)
    assert Conversation.objects.count() == 1
    assert Run.objects.count() == 8


def test_a_deleted_conversation_s_name_is_free_again(caller):
    first = ask(caller, conversation_id="abc", client_message_id="m-1")
    access.conversation(caller, "abc").delete()

    second = ask(caller, conversation_id="abc", client_message_id="m-1")
    assert second.new and second.run.pk != first.run.pk
    assert ApiKey.objects.count() == 1


def together(*requests: ChatRequest, caller: Any) -> list[Any]:
    """What is answered to messages of one transaction."""
    agent = replace(caller.require_agent(), provider="demo", model="demo")
    return accept([Asked(caller, agent, request) for request in requests])


def test_messages_that_come_together_share_one_transaction(caller):
    known = ask(caller, conversation_id="known").run
    with CaptureQueriesContext(connection) as captured:
        answers = together(
            ChatRequest(message="one"),
            ChatRequest(message="two", conversation_id="new"),
            ChatRequest(message="three", conversation_id="known"),
            caller=caller,
        )

    said = [query["sql"].split()[0] for query in captured.captured_queries]
    assert (said.count("INSERT"), said.count("BEGIN")) == (3, 1)
    assert [answer.place for answer in answers] == [None, None, 1]
    stored = [reload(answer.run) for answer in answers]
    assert [run.user_message.content for run in stored] == ["one", "two", "three"]
    assert [run.conversation.alias for run in stored] == [None, "new", "known"]
    assert stored[2].conversation == known.conversation
    assert all(run.message_id > run.user_message_id for run in stored)


def test_messages_of_one_conversation_wait_for_each_other(caller):
    name = ask(caller).run.conversation_id
    end(Run.objects.get())
    first, second, third, fourth = together(
        ChatRequest(message="1", conversation_id=name),
        ChatRequest(message="2", conversation_id=name),
        ChatRequest(message="3", conversation_id=name, if_busy="reject"),
        ChatRequest(message="4", conversation_id=name, if_busy="interrupt"),
        caller=caller,
    )

    assert [first.place, second.place, fourth.place] == [None, 1, 2]
    assert third.code == "conversation_busy"
    assert fourth.interrupts == (first.run, second.run)
    assert first.run.user_message_id < second.run.user_message_id < fourth.run.user_message_id


async def test_who_uses_a_name_at_the_same_time_comes_to_the_same(caller):
    """Neither can be stored with the other: they are accepted one by one."""
    agent = replace(caller.require_agent(), provider="demo", model="demo")
    requests = [
        ChatRequest(message="Hello", conversation_id="abc", client_message_id="m-1"),
        ChatRequest(message="Hello", conversation_id="abc", client_message_id="m-1"),
        ChatRequest(message="Hello", conversation_id="abc", client_message_id="m-2"),
        ChatRequest(message="Hello", client_message_id="m-3", if_busy="reject"),
        ChatRequest(message="Other", client_message_id="m-3"),
    ]
    acceptance = Acceptance()
    answers = await asyncio.gather(
        *(acceptance.accept(Asked(caller, agent, request)) for request in requests),
        return_exceptions=True,
    )

    one, again, next_, other, conflict = answers
    assert (one.new, again.new, again.run) == (True, False, one.run)
    assert (next_.run.conversation_id, next_.place) == (one.run.conversation_id, 1)
    assert other.new and conflict.code == "idempotency_conflict"


async def test_a_run_that_need_not_wait_is_stored_as_claimed(caller):
    """Where the process that accepts it answers it: one transaction instead of two."""
    agent = replace(caller.require_agent(), provider="demo", model="demo")
    claimed = []
    acceptance = Acceptance(claimed=claimed.append)
    first, second, other = await asyncio.gather(
        acceptance.accept(Asked(caller, agent, ChatRequest(message="a", conversation_id="abc"))),
        acceptance.accept(Asked(caller, agent, ChatRequest(message="b", conversation_id="abc"))),
        acceptance.accept(Asked(caller, agent, ChatRequest(message="c"))),
    )

    assert [one.run for one in claimed] == [first.run, other.run]
    assert second.place == 1 and not second.claimed
    rows = await database_step(
        lambda: [Run.objects.get(pk=one.run.pk) for one in (first, second, other)]
    )
    assert [(row.status, row.attempt) for row in rows] == [
        *(("running", 1), ("queued", 0), ("running", 1)),
    ]
    assert rows[0].started_at == first.run.started_at is not None


def test_an_agent_that_is_gone_is_said_to_be(caller, agent):
    """This process may still remember it."""
    agent.delete()
    assert refused(ask, caller) == "agent_not_found"


def test_the_model_that_answers_is_the_one_resolved(caller):
    agent = replace(caller.agent, provider="anthropic", model="claude-x", on_disconnect="cancel")
    run = accepted(Asked(caller, agent, ChatRequest(message="Hello"))).run
    assert (run.provider, run.model, run.on_disconnect) == ("anthropic", "claude-x", "cancel")

    asked_otherwise = ChatRequest(message="Hello", on_disconnect="continue")
    assert accepted(Asked(caller, agent, asked_otherwise)).run.on_disconnect == "continue"


async def test_histories_share_a_transaction_only_while_they_are_short(caller, foreign_caller):
    """One caller's long histories do not make another's question wait for all of them."""
    groups: list[list[int]] = []

    class Counted(Acceptance):
        async def _accept(self, asked: list[Asked]) -> list[Any]:
            groups.append([len(one.request.turns) for one in asked])
            return await super()._accept(asked)

    acceptance = Counted()
    history = [("user", "a"), ("assistant", "b")] * (MAX_TURNS // 2 - 1) + [("user", "c")]
    long = [asyncio.create_task(acceptance.accept(asked(caller, messages=history))) for _ in "1234"]
    await asyncio.sleep(0)
    short = asyncio.create_task(acceptance.accept(asked(foreign_caller)))
    await asyncio.gather(*long, short)

    size = len(history)
    assert groups == [[size], [size, 1], [size], [size]]


async def test_a_request_that_the_database_refuses_fails_alone(caller, foreign_caller):
    wrong = caller.require_agent().parameters | {"user": object()}
    bad = asked(replace(caller, agent=replace(caller.require_agent(), parameters=wrong)))
    acceptance = Acceptance()
    questions = [asked(foreign_caller), asked(caller), bad, asked(foreign_caller)]
    results = await asyncio.gather(*map(acceptance.accept, questions), return_exceptions=True)

    assert [type(result).__name__ for result in results] == [
        *("Accepted", "Accepted", "TypeError", "Accepted")
    ]
