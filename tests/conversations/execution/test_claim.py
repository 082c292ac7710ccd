"""`conversations.execution.claim`: each attempt at a run belongs to one process."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from conversations.execution.claim import claim
from conversations.models import FINAL, Conversation, Run
from tests.conversations.parts import ask, reload, take


def end(run: Run, status: str = "completed") -> None:
    Run.objects.filter(pk=run.pk).update(status=status)


def test_it_works(caller):
    run = ask(caller, "Hello", conversation_id="abc").run
    claimed = take(run)

    assert (claimed.run, claimed.attempt, claimed.agent.slug) == (run, 1, caller.agent.slug)
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
        claimed = claim(runs)

    assert [one.run for one in claimed] == runs
    assert {reload(run).status for run in runs} == {"running"}
    said = [query["sql"].split()[0] for query in captured.captured_queries]
    assert (said.count("UPDATE"), said.count("SELECT")) == (1, 0)


def test_one_that_is_not_to_be_had_keeps_no_other_from_it(caller):
    first, second = (ask(caller, conversation_id="abc").run for _ in range(2))
    other, ended = ask(caller).run, ask(caller).run
    end(ended)

    claimed = claim([second, first, other, reload(ended)])

    assert [one and one.run for one in claimed] == [None, first, other, None]
    assert [reload(run).attempt for run in (second, first, other, ended)] == [0, 1, 1, 0]


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
