"""`core.statements`: many rows in one statement."""

from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import DataError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from conversations.models import Message, Run
from core.chunks import MAX_VARIABLES
from core.statements import insert_rows, read_rows, update_rows
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


def test_text_that_json_has_to_escape_is_stored_as_it_is(caller):
    run = ask(caller).run
    text = '"quotes", \\u0041, \\ and\nlines\t%s {keys} \u2028 \U0001f980'
    question = Message(conversation=run.conversation, role="user", content=text, tools=[text])
    insert_rows([question])
    stored = Message.objects.get(pk=question.pk)
    assert (stored.content, stored.tools) == (text, [text])


def test_a_json_value_that_is_a_text_or_a_number_stays_one(caller):
    runs = [ask(caller).run for _ in range(4)]
    values = ["1", 1, True, [None]]
    for run, value in zip(runs, values, strict=True):
        run.usage = value
    update_rows(runs, ["usage"])
    assert [reload(run).usage for run in runs] == values


def test_what_is_too_long_is_never_cut(caller):
    """PostgreSQL refuses it; SQLite has no limit for a text."""
    run = ask(caller).run
    run.provider = "x" * 21
    with suppress(DataError), transaction.atomic():
        update_rows([run], ["provider"])
    assert reload(run).provider in ("demo", "x" * 21)


def test_rows_are_found_by_their_keys(caller):
    runs = [ask(caller).run for _ in range(3)]
    statement = "SELECT id FROM conversations_run WHERE id IN ({keys}) ORDER BY user_message_id"
    with transaction.atomic():
        found = read_rows(statement, [run.pk for run in runs[:2]], lock=True)
    assert found == [(run.pk,) for run in runs[:2]]
    assert read_rows(statement, []) == []


def test_more_rows_than_one_statement_takes_are_written_and_found(caller):
    conversation = ask(caller).run.conversation
    messages = [
        Message(conversation=conversation, role="user", content=str(n))
        for n in range(MAX_VARIABLES + 1)
    ]
    insert_rows(messages)
    for message in messages:
        message.comment = message.content
    update_rows(messages, ["comment"])

    statement = "SELECT id, comment FROM conversations_message WHERE id IN ({keys}) ORDER BY id"
    found = read_rows(statement, [message.pk for message in messages])
    assert found == [(message.pk, message.content) for message in messages]
