"""`wire.sse`: framing as the HTML standard has it, and positions that name their run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ClawError
from engine.events import Stamp, Token
from wire.errors import status_of
from wire.sse import FRAME, KEEPALIVE, opening, parse_event_id

RUN = "run_0000000000000000000001"


def read(stream: bytes) -> tuple[list[tuple[str, str]], str]:
    """(id, data) of every event as the standard has it, and the last id."""
    events, last_id, data = [], "", []
    for line in stream.decode().split("\n"):
        field, _, value = line.partition(": ")
        if field == "id":
            last_id = value
        elif field == "data":
            data.append(value)
        elif not line and data:  # without data nothing is dispatched
            events.append((last_id, "\n".join(data)))
            data = []
    return events, last_id


def test_it_works() -> None:
    framed = FRAME % (b"run_1", 3, b'{"a":1}')
    assert framed == b'id: run_1:3\ndata: {"a":1}\n\n'
    assert read(framed) == ([("run_1:3", '{"a":1}')], "run_1:3")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_stays_in_its_line(text: str) -> None:
    data = Stamp(RUN, "c", "m").seal(Token(content=text, index=0), 1)
    framed = FRAME % (RUN.encode(), 1, data)
    assert framed.count(b"\n") == 3 and b"\r" not in framed
    assert read(framed)[0] == [(f"{RUN}:1", data.decode())]


def test_the_opening_names_the_run_before_the_first_event() -> None:
    assert opening(RUN) == (
        b"retry: 1000\n: stream of run %b\nid: %b:0\n\n" % (RUN.encode(), RUN.encode())
    )
    assert b"\nid: %b:7\n" % RUN.encode() in opening(RUN, 7)


def test_neither_opening_nor_keepalive_is_an_event_but_a_client_then_knows_the_run() -> None:
    assert read(opening(RUN) + KEEPALIVE) == ([], f"{RUN}:0")


@given(st.from_regex(r"run_[0-9A-Za-z]{1,40}", fullmatch=True), st.integers(0, 10**15 - 1))
def test_a_position_comes_back_as_it_went(run_id: str, seq: int) -> None:
    assert parse_event_id("Last-Event-ID", f"{run_id}:{seq}") == (run_id, seq)


@pytest.mark.parametrize(
    "value",
    [
        *("", "3", ":3", "run_1", "run_1:", "run_1:-1", "run_1:x", "run_1: 3", "run_1:3\n"),
        *("conv_1:3", "run_1:3:4", "run_1:٣", "run_1:" + "9" * 16, "run_" + "a" * 41 + ":1"),
        *("run_1\0:3", "run_é:3"),
    ],
)
def test_what_is_no_position_is_refused(value: str) -> None:
    with pytest.raises(ClawError) as raised:
        parse_event_id("Last-Event-ID", value)
    assert (status_of(raised.value), raised.value.details) == (400, {"field": "Last-Event-ID"})
