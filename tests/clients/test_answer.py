"""`clawsite_client.answer`: the same fold as the server's, on the same files."""

import pytest
from clawsite_client import ClawError
from clawsite_client.answer import Answer

from tests import fixtures
from tests.wire.contract import WHOLE


def added(name: str) -> Answer:
    answer = Answer()
    for event in fixtures.load(name)["events"]:
        answer.add(event)
    return answer


@pytest.mark.parametrize("name", fixtures.NAMES)
def test_it_works(name: str) -> None:
    assert added(name).text == fixtures.snapshot(name)["message"]["content"]


@pytest.mark.parametrize("name", WHOLE)
def test_an_event_that_came_before_changes_nothing(name: str) -> None:
    answer = Answer()
    events = fixtures.load(name)["events"]
    assert all(answer.add(event) for event in events)
    assert not any(answer.add(event) for event in events)


@pytest.mark.parametrize("name", WHOLE)
def test_a_snapshot_stands_for_what_came_before_it(name: str) -> None:
    answer = Answer()
    answer.add(fixtures.snapshot(name))
    assert answer.text == added(name).text
    assert (answer.run_id, answer.seq) == (added(name).run_id, added(name).seq)


def test_a_text_that_is_not_the_one_that_was_sent_is_found() -> None:
    answer = Answer()
    *before, done = fixtures.load("complete")["events"]
    for event in before:
        answer.add(event)
    answer.text += "!"
    with pytest.raises(ClawError) as raised:
        answer.add(done | {"digest": f"sha256:{'0' * 64}"})
    assert raised.value.code == "corrupted"


def test_an_answer_that_is_not_whole_is_an_error_with_its_text() -> None:
    for name, code in (("cancelled", "cancelled"), ("interrupted", "run_interrupted")):
        with pytest.raises(ClawError) as raised:
            added(name).reply()
        assert raised.value.code == code
        assert raised.value.details["content"] == added(name).text
    assert added("complete").reply().content == added("complete").text
