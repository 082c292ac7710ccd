"""`conversations.execution.statements`: many rows in one statement."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from conversations.execution.statements import insert_rows, update_rows
from conversations.models import Message, Run
from tests.conversations.parts import ask, reload


def test_new_rows_get_their_keys_defaults_and_relations(caller):
    first = ask(caller).run
    copies = []
    for number in range(3):
        question = Message(conversation=first.conversation, role="user", content=str(number))
        answer = Message(conversation=first.conversation, role="assistant")
        insert_rows([question, answer])
        names = ("organization_id", "agent_id", "conversation", "owner", "config", "provider")
        same = {name: getattr(first, name) for name in names}
        copies.append(Run(user_message=question, message=answer, **same))
    insert_rows(copies)
    for number, run in enumerate(copies):
        stored = reload(run)
        assert (stored.user_message.content, stored.message.role) == (str(number), "assistant")
        assert (stored.config, stored.usage, stored.status) == (first.config, None, "queued")
        assert stored.created_at == run.created_at
        assert not run._state.adding


def test_a_row_that_is_there_already_is_an_error(caller):
    run = ask(caller).run
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_rows([run])


def test_every_kind_of_value_is_written_as_it_is(caller):
    runs = [ask(caller).run for _ in range(3)]
    moment = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    for run, cost in zip(runs, (Decimal("0.12345678"), None, Decimal(3)), strict=True):
        run.usage = {"cost": 1.5, "nested": ["ü", None, "'); --"]} if cost else None
        run.cost, run.finished_at, run.last_seq = cost, moment if cost else None, 7
        run.provider = "not written"
    fields = ["usage", "cost", "finished_at", "last_seq"]
    update_rows(runs, fields)
    for run in runs:
        stored = reload(run)
        assert [getattr(stored, name) for name in fields] == [getattr(run, name) for name in fields]
        assert stored.provider == "demo"


def test_nothing_but_null_is_written(caller):
    run = ask(caller).run
    Run.objects.update(cost=1, usage={}, finished_at=run.created_at)
    update_rows([run], ["cost", "usage", "finished_at"])
    stored = reload(run)
    assert (stored.cost, stored.usage, stored.finished_at) == (None, None, None)


def test_other_rows_and_rows_that_are_gone_stay(caller):
    run, other, gone = (ask(caller).run for _ in range(3))
    gone.conversation.delete()
    for each in (run, gone):
        each.last_seq = 5
    update_rows([run, gone], ["last_seq"])
    assert dict(Run.objects.values_list("pk", "last_seq")) == {run.pk: 5, other.pk: 0}


def test_many_rows_are_one_statement_and_none_is_none(caller):
    runs = [ask(caller).run for _ in range(20)]
    with CaptureQueriesContext(connection) as captured:
        update_rows(runs, ["last_seq", "error"])
        update_rows([], ["last_seq"])
        insert_rows([])
    assert len(captured) == 1
