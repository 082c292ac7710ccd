"""Without a connection; real servers are behind it in `test_model_servers.py`."""

from collections.abc import Iterable

import pytest

from engine.errors import ProviderError
from engine.providers.base import Delta, Finished, TextDelta
from engine.providers.openai_decode import Decoder
from engine.providers.reading import REFUSAL_BYTES, Reader, Refusal
from tests.engine.providers.test_openai_decode import DONE, delta

STREAM = {"content-type": "text/event-stream; charset=utf-8"}
HELLO, STOP = delta(content="Hello"), delta("stop")


def read(seen: list[Delta], parts: Iterable[bytes]) -> Reader:
    """A reader that has been given the headers and these pieces."""
    reader = Reader(Decoder("sk-SECRET"), seen.extend)
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
    reader = Reader(Decoder(""), [].extend)
    reader.head(200, STREAM)
    assert (reader.body(b": ping\n\n"), reader.begun) == (False, False)
    assert (reader.body(HELLO), reader.begun) == (True, True)


def test_what_came_before_a_failure_is_passed_on() -> None:
    seen: list[Delta] = []
    with pytest.raises(ProviderError):
        read(seen, [HELLO + b"data: {\n\n"])
    assert seen == [TextDelta(["Hello"])]


@pytest.mark.parametrize("headers", [{}, {"content-type": "text/html"}])
def test_a_response_that_is_no_stream_is_a_failure(headers: dict[str, str]) -> None:
    with pytest.raises(ProviderError) as caught:
        Reader(Decoder(""), [].extend).head(200, headers)
    assert caught.value.retryable is False


def test_a_refusal_is_kept_and_wants_no_more() -> None:
    reader = Reader(Decoder(""), [].extend)
    reader.head(429, {"retry-after": "3"})
    assert reader.complete
    for _ in range(3):
        assert reader.body(b"x" * REFUSAL_BYTES) is False
    assert reader.refusal is not None and len(reader.refusal.body) == REFUSAL_BYTES
    error = reader.refusal.error("sk-SECRET")
    assert (error.code, error.retry_after) == ("upstream_overloaded", 3000)


def test_a_refusal_does_not_repeat_the_secret() -> None:
    refusal = Refusal(401, None)
    refusal.body += b"wrong key: sk-SECRET \xff"
    assert refusal.text("sk-SECRET") == "wrong key: [key] \ufffd"
    assert "SECRET" not in refusal.error("sk-SECRET").reason
