"""What all decoders share, with one that takes every event's data as text."""

from typing import Any

import msgspec
import pytest

from engine.providers import decoding
from engine.providers.base import Delta, TextDelta
from engine.providers.decoding import DEEPEST, StreamDecoder, decode_arguments
from engine.providers.faults import fault


class Echo(StreamDecoder):
    def end(self) -> list[Delta]:
        return []

    def _more(self, events: list[Any]) -> list[str] | None:
        raise AssertionError("nothing of this is plain")

    def _event(self, name: bytes, body: bytes, deltas: list[Delta]) -> None:
        if name == b"failure":
            self.failure = fault("upstream_error", "as told")
        elif name == b"done":
            self.done = True
        else:
            deltas.append(TextDelta([body.decode()]))
            self.progress = True


def event(text: str, name: str = "") -> bytes:
    return f"event: {name}\ndata: {text}\n\n".encode()


def test_it_works() -> None:
    decoder = Echo()
    assert decoder.feed(event("a") + event("b")) == [TextDelta(["a"]), TextDelta(["b"])]
    assert decoder.progress


def test_an_empty_event_is_ignored() -> None:
    assert Echo().feed(event("") + event("a")) == [TextDelta(["a"])]


@pytest.mark.parametrize("last", ["failure", "done"])
def test_nothing_counts_after_the_end(last: str) -> None:
    decoder = Echo()
    assert decoder.feed(event("a") + event("x", last) + event("b")) == [TextDelta(["a"])]
    assert decoder.done is (last == "done")


def test_what_is_no_text_is_a_failure_after_what_came_before() -> None:
    decoder = Echo()
    assert decoder.feed(event("a") + b"data: \xff\n\n" + event("b")) == [TextDelta(["a"])]
    assert decoder.failure is not None and decoder.failure.code == "upstream_error"


def test_an_event_without_end_is_a_failure() -> None:
    decoder = Echo()
    decoder.feed(b"x" * (5 * 1024 * 1024))
    assert decoder.failure is not None and decoder.failure.retryable


def test_an_answer_without_end_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "LIMIT", 1000)
    decoder = Echo()
    for _ in range(60):
        decoder.feed(event("x" * 20))
    assert decoder.failure is not None and not decoder.failure.retryable


@pytest.mark.parametrize("depth", [DEEPEST + 1, 3000, 100_000])
def test_what_is_nested_too_deeply_is_malformed(depth: int) -> None:
    deep = '{"a":' * depth + "1" + "}" * depth
    decoder = Echo()
    assert decoder.feed(event("a") + event(deep)) == [TextDelta(["a"])]
    assert decoder.failure is not None and decoder.failure.code == "upstream_error"
    with pytest.raises(msgspec.DecodeError):
        decode_arguments(deep)


def test_what_has_many_brackets_need_not_be_deep() -> None:
    flat = '{"a": [' + "[{}]," * DEEPEST + '"{[{[", [1]]}'
    assert Echo().feed(event(flat)) == [TextDelta([flat])]
    assert len(decode_arguments(flat)["a"]) == DEEPEST + 2
    deep = '{"a":' * DEEPEST + "1" + "}" * DEEPEST
    assert decode_arguments(deep)
