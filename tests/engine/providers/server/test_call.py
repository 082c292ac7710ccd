"""Without a connection; real servers are behind it in `test_model_servers.py`."""

import gzip
import json
from collections.abc import Iterable
from typing import Any

import pytest

from engine.errors import ProviderError
from engine.http.connection import REFUSAL_BYTES, Idle, Receiver
from engine.http.http1 import Broken
from engine.providers.base import Counted, Delta, Finished, TextDelta
from engine.providers.openai.decode import Decoder
from engine.providers.server.call import MAX_WHOLE_BYTES, Form, Reader, read_answer
from tests.engine.providers.openai.test_decode import DONE, delta

STREAM = {"content-type": "text/event-stream; charset=utf-8"}
FORM = Form(Decoder, "sk-SECRET")
HELLO, STOP = delta(content="Hello"), delta("stop")


def read(seen: list[Delta], parts: Iterable[bytes]) -> Reader:
    """A reader that has been given the headers and these pieces."""
    reader = Reader(FORM, seen.extend)
    reader.head(200, STREAM)
    for part in parts:
        reader.body(part)
    return reader


def test_it_works() -> None:
    seen: list[Delta] = []
    reader = read(seen, [HELLO, STOP + DONE])
    reader.end()
    assert seen == [TextDelta(["Hello"]), Finished("end_turn", [])]
    assert reader.complete and reader.refusal is None


def test_an_answer_that_is_over_at_the_end_of_the_body_is_one() -> None:
    seen: list[Delta] = []
    reader = read(seen, [HELLO, STOP])
    assert not reader.complete
    reader.end()
    assert seen[-1] == Finished("end_turn", [])


class Losing:
    """A pool whose connection brings some of an answer, and is then lost or silent."""

    def __init__(self, parts: bytes, end: Exception) -> None:
        self._parts, self._end = parts, end

    async def post(self, body: bytes, receiver: Receiver, idle_timeout: float) -> None:
        receiver.head(200, STREAM)
        receiver.body(self._parts)
        raise self._end

    async def aclose(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize("end", [Broken("reset"), Idle("silent")])
async def test_p6_from_the_reason_on_a_lost_connection_loses_nothing(end: Exception) -> None:
    seen: list[Delta] = []
    assert await read_answer(Losing(HELLO + STOP, end), b"", FORM, seen.extend, 1) is None
    assert seen == [TextDelta(["Hello"]), Finished("end_turn", [])]


@pytest.mark.parametrize(
    ("end", "code"),
    [(Broken("reset"), "upstream_truncated"), (Idle("silent"), "upstream_timeout")],
)
async def test_p6_before_the_reason_it_is_a_failure(end: Exception, code: str) -> None:
    seen: list[Delta] = []
    with pytest.raises(ProviderError) as caught:
        await read_answer(Losing(HELLO, end), b"", FORM, seen.extend, 1)
    assert caught.value.code == code
    assert seen == [TextDelta(["Hello"])]


def test_an_answer_that_is_not_over_is_a_failure() -> None:
    with pytest.raises(ProviderError) as caught:
        read([], [HELLO]).end()
    assert caught.value.code == "upstream_truncated"


def test_what_comes_after_the_answer_is_ignored() -> None:
    seen: list[Delta] = []
    reader = read(seen, [HELLO, STOP + DONE])
    assert reader.body(delta(content="ghost")) is False
    assert seen[-1] == Finished("end_turn", [])


def test_only_what_says_something_is_progress() -> None:
    reader = Reader(FORM, [].extend)
    reader.head(200, STREAM)
    assert (reader.body(b": ping\n\n"), reader.begun) == (False, False)
    assert (reader.body(HELLO), reader.begun) == (True, True)


def test_what_came_before_a_failure_is_passed_on() -> None:
    seen: list[Delta] = []
    with pytest.raises(ProviderError):
        read(seen, [HELLO + b"data: {\n\n"])
    assert seen == [TextDelta(["Hello"])]


@pytest.mark.parametrize("kind", ["", "text/html", "text/plain", "application/json"])
@pytest.mark.parametrize("body", [b"<!doctype html>no", b"Service sk-SECRET unavailable", b"{no"])
def test_a_page_or_a_text_is_no_answer(body: bytes, kind: str) -> None:
    for step in (1, len(body)):
        reader = Reader(FORM, [].extend)
        reader.head(200, {"content-type": kind})
        with pytest.raises(ProviderError) as caught:
            for at in range(0, len(body), step):
                reader.body(body[at : at + step])
            reader.end()
        assert caught.value.retryable is False
        assert kind in caught.value.reason and "SECRET" not in caught.value.reason


@pytest.mark.parametrize("kind", ["", "text/plain", "application/json", "Text/Event-Stream"])
@pytest.mark.parametrize("coding", ["", "gzip", "Identity", "gzip, gzip"])
@pytest.mark.parametrize("step", [1, 7, 10_000])
def test_events_are_events_whatever_they_are_called(kind: str, coding: str, step: int) -> None:
    body = b"\n: ping\n\n" + HELLO + HELLO + STOP + DONE
    for _ in range(coding.count("gzip")):
        body = gzip.compress(body)
    seen: list[Delta] = []
    reader = Reader(FORM, seen.extend)
    reader.head(200, {"content-type": kind, "content-encoding": coding})
    for at in range(0, len(body), step):
        reader.body(body[at : at + step])
    reader.end()
    assert (
        "".join(piece for d in seen if isinstance(d, TextDelta) for piece in d.pieces)
        == "HelloHello"
    )
    assert seen[-1] == Finished("end_turn", [])


WHOLE = {
    "choices": [{"message": {"role": "assistant", "content": "All."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 4},
}


def whole(said: Any, step: int = 10**9, **headers: str) -> tuple[list[Delta], Reader]:
    """What comes of this body with status 200."""
    seen: list[Delta] = []
    reader = Reader(FORM, seen.extend)
    reader.head(200, {"content-type": "application/json", **headers})
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    for at in range(0, len(body), step):
        reader.body(body[at : at + step])
    reader.end()
    return seen, reader


@pytest.mark.parametrize("step", [1, 10**9])
def test_an_answer_in_one_piece_is_an_answer(step: int) -> None:
    seen, reader = whole(b"\xef\xbb\xbf \n" + json.dumps(WHOLE, indent=1).encode(), step)
    assert [type(delta) for delta in seen] == [TextDelta, Counted, Finished]
    assert seen[0] == TextDelta(["All."]) and reader.refusal is None


@pytest.mark.parametrize(
    "kind", ["application/json", "text/event-stream", "application/problem+json"]
)
def test_an_error_with_200_is_that_error(kind: str) -> None:
    said = {"error": {"message": "Rate limit exceeded", "code": 429}}
    seen, reader = whole(said, **{"content-type": kind, "retry-after": "2"})
    assert seen == [] and reader.refusal is not None
    error = reader.refusal.error("")
    assert (error.code, error.retry_after) == ("upstream_overloaded", 2000)


@pytest.mark.parametrize("said", [{}, [], {"choices": []}, {"status": "ok"}])
def test_json_that_is_no_answer_is_a_refusal(said: Any) -> None:
    _, reader = whole(said)
    assert reader.refusal is not None and not reader.refusal.error("").retryable


def test_an_answer_in_one_piece_is_bounded() -> None:
    with pytest.raises(ProviderError):
        whole(b"[" + b" " * MAX_WHOLE_BYTES)


def test_blanks_are_no_progress_and_are_not_kept() -> None:
    reader = Reader(FORM, [].extend)
    reader.head(200, {"content-type": "application/json"})
    assert not any(reader.body(b" \n" * 1000) for _ in range(100))
    assert len(reader._kept) == 0


def test_a_refusal_is_kept_and_wants_no_more() -> None:
    reader = Reader(FORM, [].extend)
    reader.head(429, {"retry-after": "3"})
    assert reader.complete
    for _ in range(3):
        assert reader.body(b"x" * REFUSAL_BYTES) is False
    assert reader.refusal is not None and len(reader.refusal.body) == REFUSAL_BYTES
    error = reader.refusal.error("sk-SECRET")
    assert (error.code, error.retry_after) == ("upstream_overloaded", 3000)


NO_MONEY = b'{"error": {"message": "No money"}}'


@pytest.mark.parametrize(
    ("coding", "body", "words"),
    [
        ("gzip", gzip.compress(NO_MONEY, mtime=0), "No money"),
        ("gzip, gzip", gzip.compress(gzip.compress(NO_MONEY, mtime=0), mtime=0), "No money"),
        ("gzip", NO_MONEY, "No money"),
        ("br", NO_MONEY, "No money"),
        ("br", b"\x0b\x11\x80", "cannot be read: the answer is compressed: br"),
    ],
)
def test_a_refusal_may_be_compressed(coding: str, body: bytes, words: str) -> None:
    reader = Reader(FORM, [].extend)
    reader.head(402, {"content-encoding": coding})
    reader.body(body)
    reader.body(b"")
    assert reader.refusal is not None
    assert words in reader.refusal.error("").reason


def test_a_compressed_answer_that_we_cannot_read_is_named() -> None:
    reader = Reader(FORM, [].extend)
    reader.head(200, STREAM | {"content-encoding": "br"})
    with pytest.raises(ProviderError) as caught:
        reader.body(b"\x0b\x11\x80")
    assert "br" in caught.value.reason and not caught.value.retryable
