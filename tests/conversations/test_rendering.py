"""`conversations.rendering`: rows as objects of the API."""

import msgspec
import pytest
from django.utils import timezone

from conversations import access
from conversations.models import Message, Run
from conversations.rendering import (
    render_conversation,
    render_current_message,
    render_message,
    render_run,
    render_snapshot,
)
from engine.transcript import fold_all
from tests import fixtures
from tests.conversations.parts import ask, reload


@pytest.fixture
def run(caller) -> Run:
    return ask(caller, "Hello", conversation_id="abc", client_message_id="m-1").run


def stored(run: Run, name: str) -> Run:
    """The run with the answer of a fixture in its rows."""
    message = fixtures.snapshot(name)["message"]
    row = {field: message[field] for field in ("content", "status", "usage", "error", "tools")}
    row |= {"stop_reason": message["stopReason"], "thinking": message.get("thinking", "")}
    Message.objects.filter(pk=run.message_id).update(**row)
    return reload(run)


@pytest.mark.parametrize("name", ["complete", "tools", "thinking", "failed", "cancelled"])
def test_a_stored_message_is_the_fold_of_its_run(run, name):
    shown = msgspec.to_builtins(render_message(stored(run, name).message, "run_1"))
    own = {"id", "runId", "createdAt"}
    expected = fixtures.snapshot(name)["message"]
    assert {name: shown[name] for name in shown if name not in own} == {
        name: expected[name] for name in expected if name not in own
    }


def test_an_object_needs_no_query(run, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert render_message(run.message, "run_1").run_id == "run_1"


@pytest.mark.parametrize(("rating", "comment"), [("up", ""), ("down", "Too long.")])
def test_a_rated_message_has_its_feedback(run, rating, comment):
    message = run.message
    assert "feedback" not in msgspec.to_builtins(render_message(message, None))
    message.rating, message.comment = rating, comment
    said = {"rating": rating} | ({"comment": comment} if comment else {})
    assert msgspec.to_builtins(render_message(message, None))["feedback"] == said


def test_a_message_that_is_being_written_has_the_status_of_its_run(run):
    run.status, run.waits_until = "waiting", timezone.now()
    run.message.run = run
    assert render_current_message(run.message).status == "waiting"
    run.waits_until = None  # just for the run of another agent
    assert render_current_message(run.message).status == "streaming"
    assert render_message(run.message, run.pk).status == "queued"


def test_a_conversation_is_shown_by_the_name_it_was_given(caller, run):
    shown = render_conversation(access.conversation(caller, "abc"))
    assert (shown.id, shown.agent_id, shown.title) == ("abc", caller.agent.id, "Hello")
    assert shown.created_at <= shown.last_message_at


def test_a_run_shows_what_it_has_said_so_far(run):
    events = [msgspec.json.encode(event) for event in fixtures.load("streaming")["events"]]
    so_far = fold_all(events)
    assert render_run(run, so_far).content == str(so_far.text)
    assert render_run(run, so_far).last_seq == so_far.last_seq
    row = stored(run, "complete")
    assert render_run(row, None).content == row.message.content


def test_a_snapshot_without_a_log_is_what_the_row_says(run):
    row = stored(run, "complete")
    frame = render_snapshot(row)
    assert (frame.message_id, frame.status) == (row.message.public_id, "completed")
    assert frame.message == render_message(row.message, row.pk)
