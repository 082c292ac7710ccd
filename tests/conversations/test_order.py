"""`conversations.execution.acceptance` in several processes: one message after another.

A reader of one has seen those before it. `test_postgres` runs it on PostgreSQL."""

import time
from concurrent.futures import Future, ThreadPoolExecutor

from django.db import connection, connections, transaction

from conversations import access
from conversations.execution.acceptance import accept
from conversations.execution.opening import first_fold
from conversations.execution.recording import outcome
from conversations.execution.recording.outcome import Timing
from conversations.execution.recording.recorder import FinishedRun, write
from conversations.models import Conversation, Run
from engine.transcript import fold
from tests.conversations.execution.test_claim import somebody_waits
from tests.conversations.parts import ask, asked, take


def done_or_waiting(work: Future) -> None:
    """Return when the work is done, or cannot go on before this transaction has ended."""
    while connection.vendor == "postgresql" and not (work.done() or somebody_waits()):
        time.sleep(0.01)


def test_it_works(caller):
    first = ask(caller, conversation_id="abc").run

    def later() -> tuple[int | None, list[str]]:
        try:
            place = ask(caller, conversation_id="abc").place
            seen = access.runs_after(first.conversation, first.user_message_id)
            return place, [run.pk for run in seen]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            second = ask(caller, conversation_id="abc")
            work = pool.submit(later)
            done_or_waiting(work)
        place, seen = work.result()

    assert (second.place, place) == (1, 2)
    assert (seen[0], len(seen)) == (second.run.pk, 2)


def test_another_conversation_does_not_wait(caller):
    for name in ("abc", "xyz"):
        ask(caller, conversation_id=name)

    def elsewhere() -> int | None:
        try:
            return ask(caller, conversation_id="xyz").place
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        ask(caller, conversation_id="abc")
        work = pool.submit(elsewhere)
        done_or_waiting(work)
        if connection.vendor == "postgresql":  # SQLite has one writer
            assert work.result() == 1


def test_groups_with_the_same_conversations_do_not_lock_each_other_out(caller):
    names = ["a", "b", "c"]
    for name in names:
        ask(caller, conversation_id=name)

    def together(order: list[str]) -> list[object]:
        try:
            return accept([asked(caller, conversation_id=name) for name in order])
        finally:
            connections.close_all()

    orders = [names, names[::-1], ["b", "a", "c"], ["c", "b", "a"]]
    with ThreadPoolExecutor(len(orders)) as pool:
        answers = [answer for group in pool.map(together, orders) for answer in group]
    assert sorted(answer.place for answer in answers) == sorted([1, 2, 3, 4] * 3)


def test_answers_that_end_in_the_same_conversations_do_not_lock_each_other_out(caller):
    names = ["a", "b", "c", "d", "e"]
    first = [take(ask(caller, conversation_id=name).run).run for name in names]
    waiting = [ask(caller, conversation_id=name).run for name in reversed(names)]
    middle = Conversation.objects.filter(alias="c")

    def end(runs: list[Run]) -> list[object]:
        try:
            return write([cancelled(run) for run in runs])
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            middle.update(title="held")
            groups = [pool.submit(end, runs) for runs in (first, waiting)]
            for group in groups:
                done_or_waiting(group)
        for group in groups:
            group.result()
    assert set(Run.objects.values_list("status", flat=True)) == {"cancelled"}


def cancelled(run: Run) -> FinishedRun:
    """A run that was stopped before it said anything."""
    transcript = first_fold(run)
    end = outcome.cancelled(transcript, Timing())
    return FinishedRun(run, run.attempt, fold(transcript, end))
