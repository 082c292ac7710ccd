"""What all decoders share, with one that takes every event's data as text."""

from typing import Any

import msgspec
import pytest

from engine.providers.base import Delta, TextDelta
from engine.providers.server import decoder as decoding
from engine.providers.server.decoder import MAX_DEPTH, StreamDecoder, decode_arguments
from engine.providers.server.refusals.faults import fault


class Echo(StreamDecoder):
    @property
    def reasoned(self) -> bool:
        return False

    def _end(self, deltas: list[Delta]) -> None:
        """Nothing to say."""

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


def test_a_last_event_without_its_empty_line_counts() -> None:
    decoder = Echo()
    assert decoder.feed(event("a") + b"data: b") == [TextDelta(["a"])]
    assert decoder.end() == [TextDelta(["b"])]


def test_a_last_event_that_is_cut_says_nothing() -> None:
    decoder = Echo()
    assert decoder.feed(event("a") + b"data: \xc3") == [TextDelta(["a"])]
    assert decoder.end() == [] and decoder.failure is None


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


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 3000, 100_000])
def test_what_is_nested_too_deeply_is_malformed(depth: int) -> None:
    deep = '{"a":' * depth + "1" + "}" * depth
    decoder = Echo()
    assert decoder.feed(event("a") + event(deep)) == [TextDelta(["a"])]
    assert decoder.failure is not None and decoder.failure.code == "upstream_error"
    with pytest.raises(msgspec.DecodeError):
        decode_arguments(deep)


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ('{"a": "\\ud83d"}', {"a": "\ufffd"}),
        ('{"a": "one\ntwo"}', {"a": "one\ntwo"}),
        ('"{\\"a\\": 1}"', {"a": 1}),
        ('{}{"a": 1}', {"a": 1}),
        ("{}{}", {}),
    ],
)
def test_arguments_that_can_be_understood_are_read(text: str, arguments: dict[str, Any]) -> None:
    assert decode_arguments(text) == arguments


@pytest.mark.parametrize("text", ["[]", '"x"', "{", "nul", '{"a": 1}{"a": 2}', "5", '"[]"', "x"])
def test_arguments_that_are_no_object_are_refused(text: str) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_arguments(text)


def test_what_has_many_brackets_need_not_be_deep() -> None:
    flat = '{"a": [' + "[{}]," * MAX_DEPTH + '"{[{[", [1]]}'
    assert Echo().feed(event(flat)) == [TextDelta([flat])]
    assert len(decode_arguments(flat)["a"]) == MAX_DEPTH + 2
    deep = '{"a":' * MAX_DEPTH + "1" + "}" * MAX_DEPTH
    assert decode_arguments(deep)
