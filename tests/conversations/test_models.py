"""`conversations.models`: what may follow what, and what the database itself refuses."""

import pytest
from django.db import IntegrityError, transaction

from conversations.models import (
    ACTIVE,
    FINAL,
    TRANSITIONS,
    Conversation,
    Run,
    RunStatus,
    may_become,
)
from tests.conversations.parts import ask


def test_it_works(caller):
    run = ask(caller, "Hello", conversation_id="abc").run

    assert str(run) == f"{run.pk} (queued)"
    assert str(run.conversation) == "Hello"
    assert str(run.message) == f"assistant {run.message.public_id}"
    assert [value.split("_")[0] for value in (run.pk, run.conversation_id)] == ["run", "conv"]
    assert run.message.public_id.startswith("msg_")


def test_a_conversation_is_seen_by_its_alias_if_it_has_one(caller):
    assert ask(caller, conversation_id="abc").run.conversation.public_id == "abc"
    plain = ask(caller).run.conversation
    assert plain.public_id == plain.id


def test_an_end_is_an_end():
    assert set(TRANSITIONS) == set(RunStatus)
    for status in FINAL:
        assert not TRANSITIONS[status]
        assert may_become(status) >= set(ACTIVE)


def test_what_waits_in_line_does_not_end_by_itself():
    assert may_become(RunStatus.QUEUED) == set()
    assert may_become(RunStatus.RUNNING) == {RunStatus.QUEUED, *ACTIVE}
    assert RunStatus.QUEUED not in may_become(RunStatus.COMPLETED)


@pytest.mark.parametrize("model", [Conversation, Run])
def test_a_name_is_unique_for_agent_and_owner(caller, model):
    ask(caller, conversation_id="abc", client_message_id="m-1")
    row = model.objects.get()
    ask(caller)
    other = model.objects.exclude(pk=row.pk).get()
    field = "alias" if model is Conversation else "client_message_id"
    setattr(other, field, getattr(row, field))

    with pytest.raises(IntegrityError), transaction.atomic():
        other.save()


def test_no_name_is_not_a_name(caller):
    assert ask(caller).run.conversation != ask(caller).run.conversation
