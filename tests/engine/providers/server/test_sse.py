import pytest

from engine.providers.server.sse import SseParser, TooLong


def parse(data: bytes, size: int | None = None) -> list[tuple[bytes, bytes]]:
    """All events of `data`, fed in pieces of `size` bytes."""
    parser, size = SseParser(), size or len(data) or 1
    pieces = (data[i : i + size] for i in range(0, len(data), size))
    return [event for piece in pieces for event in parser.feed(piece)]


def test_it_works() -> None:
    assert parse(b"event: a\ndata: 1\n\nevent: b\ndata: 2\n\n") == [(b"a", b"1"), (b"b", b"2")]


CASES = {
    "line feeds": (b"event: a\ndata: 1\n\n", [(b"a", b"1")]),
    "carriage returns": (b"event: a\rdata: 1\r\r", [(b"a", b"1")]),
    "both": (b"event: a\r\ndata: 1\r\n\r\n", [(b"a", b"1")]),
    "mixed": (b"event: a\rdata: 1\r\n\ndata: 2\n\r\n", [(b"a", b"1"), (b"", b"2")]),
    "a byte order mark": (b"\xef\xbb\xbfdata: 1\n\n", [(b"", b"1")]),
    "several lines of data": (b"data: 1\ndata: 2\ndata:\n\n", [(b"", b"1\n2\n")]),
    "one space is taken away": (b"data:1\n\ndata:  2\n\n", [(b"", b"1"), (b"", b" 2")]),
    "no data, no event": (b"event: a\n\ndata: 1\n\n", [(b"", b"1")]),
    "data without a value": (b"data\n\n", [(b"", b"")]),
    "comments and other fields": (
        b": hi\nid: 3\nretry: 5\nx\ndatax: 1\ndata: 1\n\n",
        [(b"", b"1")],
    ),
    "an error without its field": (
        b'data: 1\n\n{"error": 1}\n\n',
        [(b"", b"1"), (b"", b'{"error": 1}')],
    ),
    "a field of errors": (b"error: {}\n\n", [(b"error", b" {}")]),
    "the last event name counts": (b"event: a\nevent: b\ndata: 1\n\n", [(b"b", b"1")]),
    "an event that does not end": (b"data: 1\n\ndata: 2\n", [(b"", b"1")]),
    "empty lines": (b"\n\n\n\ndata: 1\n\n\n\n", [(b"", b"1")]),
    "multibyte text": ("data: 日本\u2028😀\n\n".encode(), [(b"", "日本\u2028😀".encode())]),
}


@pytest.mark.parametrize("case", CASES)
def test_whole_and_in_pieces(case: str) -> None:
    data, events = CASES[case]
    for size in (None, 1, 2, 3, 5):
        assert parse(data, size) == events, size


@pytest.mark.parametrize(
    "data", [b"x" * 60, b"data: 1234\n" * 6, b"data: " + b"x" * 60, b"data\n" * 2, b"data:\n" * 2]
)
@pytest.mark.parametrize("size", [1, 7, 100])
def test_an_event_without_end_is_refused(data: bytes, size: int) -> None:
    parser = SseParser(limit=50)
    with pytest.raises(TooLong):
        for i in range(0, len(data), size):
            parser.feed(data[i : i + size])


def test_many_events_in_one_piece_are_no_long_event() -> None:
    assert len(SseParser(limit=50).feed(b"data: 12345\n\n" * 1000)) == 1000
