"""`conversations.execution.opening`: the first event of a run."""

from conversations.execution.opening import first_fold, stamp, started_event
from engine.events import decode
from tests.conversations.parts import ask


def test_the_first_event_is_folded_as_it_stands_in_the_log(caller):
    run = ask(caller, "Hello", client_message_id="m-1").run
    sealed = stamp(run).seal(started_event(run), 1)

    assert first_fold(run).started == decode(sealed)
    assert decode(sealed).user_content == "Hello"
    assert started_event(run, 3).queued == 3
