"""`conversations.execution.job`: who may carry out a run, and with which prompt."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from conversations.execution.job import claim, first_fold, prompts, stamp, started_event
from conversations.models import FINAL, Conversation, Message, Run
from engine.events import decode
from tests.conversations.parts import ask, reload, take


def end(run: Run, status: str = "completed") -> None:
    Run.objects.filter(pk=run.pk).update(status=status)


def test_it_works(caller):
    run = ask(caller, "Hello", conversation_id="abc").run
    job = take(run)

    assert (job.attempt, job.request.model, job.request.turns[-1].content) == (1, "demo", "Hello")
    assert (job.stamp.run_id, job.stamp.conversation_id) == (run.pk, "abc")
    stored = reload(run)
    assert (stored.status, stored.attempt) == ("running", 1)
    assert stored.started_at is not None


def test_one_run_of_a_conversation_is_active(caller):
    first, second = (ask(caller, conversation_id="abc").run for _ in range(2))

    assert take(first) is not None
    assert take(second) is None
    end(first)
    assert take(second) is not None


def test_the_database_guards_it_too(caller):
    first, second = (ask(caller, conversation_id="abc").run for _ in range(2))
    take(first)

    with pytest.raises(IntegrityError), transaction.atomic():
        Run.objects.filter(pk=second.pk).update(status="waiting")


def test_runs_begin_in_the_order_of_their_messages(caller):
    first, second = (ask(caller, conversation_id="abc").run for _ in range(2))

    assert take(second) is None
    assert take(first) is not None


def test_other_conversations_do_not_wait(caller):
    assert take(ask(caller).run) is not None
    assert take(ask(caller).run) is not None


@pytest.mark.parametrize("status", FINAL)
def test_what_has_ended_is_not_claimed(caller, status):
    run = ask(caller).run
    end(run, status)

    assert take(run) is None  # as it was found
    assert take(reload(run)) is None


def test_each_attempt_is_taken_once(caller):
    run = ask(caller).run
    stale, again = reload(run), reload(run)

    assert take(run).attempt == 1
    assert take(stale) is None
    assert take(again) is None
    assert take(reload(run)).attempt == 2  # a later attempt takes over


def test_of_many_at_once_one_gets_it(caller):
    runs = [ask(caller, conversation_id="abc").run for _ in range(2)]
    copies = [reload(runs[number % 2]) for number in range(12)]

    def taken_by_us(run: Run) -> bool:
        try:
            return take(run) is not None
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(copies)) as pool:
        taken = list(pool.map(taken_by_us, copies))

    assert sum(taken) == 1
    assert (reload(runs[0]).attempt, reload(runs[1]).attempt) == (1, 0)


def test_many_are_claimed_in_one_step(caller):
    runs = [ask(caller, f"question {number}").run for number in range(5)]
    with CaptureQueriesContext(connection) as captured:
        jobs = claim(runs)

    assert [job.run for job in jobs] == runs
    assert [job.request.turns[-1].content for job in jobs] == [
        f"question {number}" for number in range(5)
    ]
    assert {reload(run).status for run in runs} == {"running"}
    said = [query["sql"].split()[0] for query in captured.captured_queries]
    assert (said.count("UPDATE"), said.count("SELECT")) == (1, 1)


def test_one_that_is_not_to_be_had_keeps_no_other_from_it(caller):
    first, second = (ask(caller, conversation_id="abc").run for _ in range(2))
    other, ended = ask(caller).run, ask(caller).run
    end(ended)

    jobs = claim([second, first, other, reload(ended)])

    assert [job and job.run for job in jobs] == [None, first, other, None]
    assert [reload(run).attempt for run in (second, first, other, ended)] == [0, 1, 1, 0]


def test_a_long_history_takes_no_other_s_room(caller, monkeypatch):
    monkeypatch.setattr("conversations.execution.job.HISTORY_LIMIT", 4)
    turns = [("user", "a"), ("assistant", "b"), ("user", "c")]
    short, long = ask(caller, "short").run, ask(caller, messages=turns).run

    assert [[turn.content for turn in request.turns] for request in prompts([short, long])] == [
        *(["short"], ["a", "b", "c"])
    ]


def test_a_run_is_taken_though_the_one_before_it_is_still_ending(caller):
    """The transaction that ends a run looks for the next one, and may have looked too early: then
    it makes no job for it, and whoever has its first job waits for that transaction."""
    first = ask(caller, conversation_id="abc").run
    second = ask(caller, conversation_id="abc").run
    take(first)
    written = threading.Event()

    def finish() -> None:
        try:
            with transaction.atomic():
                end(first)
                Conversation.objects.filter(pk=first.conversation_id).update(title="It ended")
                written.set()
                while connection.vendor == "postgresql" and not somebody_waits():
                    time.sleep(0.01)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        ending = pool.submit(finish)
        assert written.wait(20)
        assert take(second) is not None
        ending.result()


def somebody_waits() -> bool:
    """For a lock, in this database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchall())


def test_the_prompt_ends_with_the_run_s_own_message(caller):
    first = ask(caller, "one", conversation_id="abc").run
    end(first)
    Message.objects.filter(pk=first.message_id).update(content="answer", status="completed")
    second = ask(caller, "two", conversation_id="abc").run
    ask(caller, "three", conversation_id="abc")

    turns = [(turn.role, turn.content) for turn in prompts([second])[0].turns]
    assert turns == [("user", "one"), ("assistant", "answer"), ("user", "two")]


def test_p24_no_other_conversation_is_in_a_prompt(caller, foreign_caller):
    ask(caller, "mine", conversation_id="abc")
    ask(foreign_caller, "theirs", conversation_id="abc")
    run = ask(caller, "again").run

    assert [turn.content for turn in prompts([run])[0].turns] == ["again"]


def test_the_agent_of_acceptance_decides_over_the_prompt(caller):
    agent = replace(
        caller.agent, instructions="Be kind.", context_tokens=3, max_tokens=7, thinking=True
    )
    caller = replace(caller, agent=agent)
    turns = [("user", "a" * 40), ("assistant", "b" * 40), ("user", "c")]
    request = prompts([ask(caller, messages=turns).run])[0]

    assert (request.instructions, request.max_tokens, request.thinking) == ("Be kind.", 7, True)
    assert [turn.content for turn in request.turns] == ["c"]


def test_the_first_event_is_folded_as_it_stands_in_the_log(caller):
    run = ask(caller, "Hello", client_message_id="m-1").run
    sealed = stamp(run).seal(started_event(run), 1)

    assert first_fold(run).started == decode(sealed)
    assert decode(sealed).user_content == "Hello"
    assert started_event(run, 3).queued == 3
