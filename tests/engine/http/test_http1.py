"""Without a connection; with one in `test_connection.py`."""

import pytest

from engine.http.http1 import ResponseParser

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
HELLO = OK + b"content-length: 5\r\n\r\nhello"


def test_it_works() -> None:
    parser = ResponseParser()
    for _ in range(2):
        parser.expect()
        assert parser.feed(HELLO) == b"hello"
        assert parser.headers == {"content-type": "text/plain", "content-length": "5"}
        assert (parser.status, parser.ended, parser.keep_alive) == (200, True, True)


def test_a_body_is_given_in_the_pieces_in_which_it_comes() -> None:
    parser = ResponseParser()
    parts = [parser.feed(HELLO[i : i + 1]) for i in range(len(HELLO))]
    assert [part for part in parts if part] == [b"h", b"e", b"l", b"l", b"o"]


def test_chunks_that_come_together_are_one_piece() -> None:
    parser = ResponseParser()
    assert parser.feed(OK + b"transfer-encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n") == b"ab"
    assert not parser.ended and not parser.until_close


@pytest.mark.parametrize(
    ("answer", "until_close", "keep_alive"),
    [
        (OK + b"\r\nhello", True, False),
        (OK + b"connection: close\r\ncontent-length: 5\r\n\r\nhello", False, False),
        (HELLO.replace(b"1.1", b"1.0"), False, False),
        (HELLO, False, True),
    ],
)
def test_who_may_go_on(answer: bytes, until_close: bool, keep_alive: bool) -> None:
    parser = ResponseParser()
    assert parser.feed(answer) == b"hello"
    assert (parser.until_close, parser.keep_alive) == (until_close, keep_alive)
    assert parser.ended is not until_close


def test_a_response_without_a_body_ends_with_its_headers() -> None:
    parser = ResponseParser()
    parser.feed(b"HTTP/1.1 204 No Content\r\n\r\n")
    assert parser.ended and parser.keep_alive


def test_what_came_before_the_damage_is_given() -> None:
    parser = ResponseParser()
    assert parser.feed(OK + b"transfer-encoding: chunked\r\n\r\n1\r\na\r\nZZ\r\n") == b"a"
    assert parser.damage is not None and not parser.ended


def test_a_second_response_is_damage() -> None:
    parser = ResponseParser()
    assert parser.feed(HELLO + HELLO) == b"hello"
    assert parser.ended and not parser.keep_alive


def test_closed_it_is_in_no_circle() -> None:
    import gc
    import weakref

    gc.disable()
    try:
        parser = ResponseParser()
        parser.feed(HELLO)
        seen = weakref.ref(parser)
        parser.close()
        del parser
        assert seen() is None
    finally:
        gc.enable()
