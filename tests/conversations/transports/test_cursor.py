"""`conversations.transports.cursor`: each event is encoded once, and sent once."""

from conversations.transports.cursor import LEFT, Cursor
from engine.log.base import Entry
from tests.wire.contract import batch_of, snapshot_at
from tests.wire.test_encoder import Parts
from wire.selection import Selection
from wire.visibility import EVERYTHING

TYPES, LINES, LAST = batch_of("complete")
ENTRIES = [Entry(seq, *rest) for seq, rest in enumerate(zip(TYPES, LINES, strict=True), 1)]


def cursor() -> Cursor:
    return Cursor(Parts(Selection(EVERYTHING), "run_1"), 0)


WHOLE = cursor().encode(ENTRIES)


def test_it_works():
    here = cursor()
    pieces = here.encode(ENTRIES[:5]) + here.encode(ENTRIES[5:])
    assert pieces == WHOLE
    assert here.after == LAST


def test_what_the_connection_refused_is_sent_once_and_encoded_once():
    here = cursor()
    first = here.encode(ENTRIES[:3])
    here.refuse(here.encoder.events((TYPES[3:6], LINES[3:6], 6)), 6)
    assert here.after == 3  # the log is read on from what was sent
    assert first + here.encode(ENTRIES[3:]) == WHOLE
    assert here.encode(ENTRIES[3:]) == []


def test_the_log_may_give_less_than_what_was_refused():
    here = cursor()
    first = here.encode(ENTRIES[:3])
    here.refuse(here.encoder.events((TYPES[3:6], LINES[3:6], 6)), 6)
    pieces = first
    for entry in ENTRIES[3:]:
        pieces = pieces + here.encode([entry])
    assert pieces == WHOLE


def test_a_snapshot_comes_after_what_was_refused():
    here = cursor()
    refused = here.encoder.events((TYPES[:6], LINES[:6], 6))
    here.refuse(refused, 6)
    pieces = here.show(snapshot_at((TYPES[:7], LINES[:7], 7)))
    assert pieces[: len(refused)] == refused and b"reset\n" in pieces
    assert here.after == 7
    assert here.encode(ENTRIES[:7]) == []


def test_a_client_that_is_left_can_be_told():
    assert LEFT.code == "unavailable" and LEFT.retry_after
