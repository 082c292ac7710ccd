"""`wire.snapshot`: what a run adds up to, on the runs in tests/fixtures."""

from datetime import datetime
from typing import Any

import msgspec
import pytest

from engine.transcript import Transcript, fold_all
from tests import fixtures
from wire.parse import dumps
from wire.snapshot import message_of, snapshot_of

CREATED = datetime.fromisoformat(fixtures.CREATED)


def lines(name: str) -> list[bytes]:
    return [msgspec.json.encode(event) for event in fixtures.load(name)["events"]]


def shown(transcript: Transcript) -> Any:
    """The snapshot as a client reads it."""
    return msgspec.json.decode(dumps(snapshot_of(transcript, CREATED)))


def test_it_works() -> None:
    message = message_of(fold_all(lines("complete")), CREATED)
    assert (message.role, message.status, message.created_at) == ("assistant", "completed", CREATED)


@pytest.mark.parametrize("name", fixtures.NAMES)
def test_p9_the_fold_of_a_run_is_its_snapshot(name: str) -> None:
    assert shown(fold_all(lines(name))) == fixtures.snapshot(name)


@pytest.mark.parametrize("name", fixtures.NAMES)
def test_it_can_be_cut_anywhere_and_gone_on_with(name: str) -> None:
    events = lines(name)
    for cut in range(len(events) + 1):
        transcript = fold_all(events[:cut])
        shown(transcript)  # asking changes nothing
        assert shown(fold_all(events[cut:], transcript)) == fixtures.snapshot(name)


def test_a_snapshot_stays_as_it_was_when_the_run_goes_on() -> None:
    events = lines("tools")
    transcript, taken = Transcript(), []
    for line in events:
        snapshot = snapshot_of(fold_all([line], transcript), CREATED)
        taken.append((snapshot, dumps(snapshot)))
    assert all(dumps(snapshot) == before for snapshot, before in taken)


def test_events_of_a_newer_version_add_nothing() -> None:
    events = lines("complete")
    newer = b'{"type":"hologram","content":[],"runId":"run_1","seq":2}'
    assert shown(fold_all([events[0], newer, *events[1:]])) == fixtures.snapshot("complete")


def test_the_snapshot_of_an_empty_run_has_no_ids() -> None:
    empty = shown(Transcript())
    assert (empty["status"], empty["lastSeq"], empty["message"]["id"]) == ("queued", 0, "")
