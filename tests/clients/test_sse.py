"""`clawsite_client.sse`: an event stream, however it is cut."""

import pytest
from clawsite_client.sse import Parser

STREAM = (
    b'retry: 1000\n: stream\nid: run_1:0\n\nid: run_1:1\ndata: {"a": "\xe2\x80\xa8"}\n\n'
    b': keepalive\n\nid: run_1:2\r\ndata: {"b":\r\ndata: 2}\r\n\r\n'
)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_it_works(size: int) -> None:
    parser = Parser()
    pieces = [STREAM[at : at + size] for at in range(0, len(STREAM), size)]
    events = [event for piece in pieces for event in parser.feed(piece)]
    assert events == [{"a": "\u2028"}, {"b": 2}]
    assert parser.last_id == "run_1:2"


def test_an_id_without_data_is_a_position() -> None:
    parser = Parser()
    assert list(parser.feed(b"id: run_1:0\n\n")) == [] and parser.last_id == "run_1:0"


def test_an_event_that_is_not_whole_has_no_position() -> None:
    parser = Parser()
    assert list(parser.feed(b'id: run_1:1\ndata: {}\n\nid: run_1:2\ndata: {"a"')) == [{}]
    assert parser.last_id == "run_1:1"
