"""What servers of Chat Completions were seen to send (`quirks`), and all that ends no answer."""

import json
from typing import Any

import pytest

from engine.providers.base import Delta, Finished, ToolRequest
from engine.providers.openai.decode import Decoder
from tests.engine.providers.contract import text_of, thinking_of
from tests.engine.providers.openai.quirks import DONE, QUIRKS, STOP, called, function, piece


def stream_of(events: list[Any]) -> bytes:
    lines = []
    for event in events:
        said = event if isinstance(event, str) else json.dumps(event)
        lines.append(f"{said}\n\n" if said.startswith(":") else f"data: {said}\n\n")
    return "".join(lines).encode()


def answer(stream: bytes, size: int) -> tuple[list[Delta], Decoder]:
    """What a body of these bytes means that comes in pieces of `size`, to its end."""
    decoder = Decoder("sk-SECRET")
    deltas: list[Delta] = []
    for begin in range(0, len(stream), size):
        deltas += decoder.feed(stream[begin : begin + size])
        if decoder.done or decoder.failure is not None:
            return deltas, decoder
    return deltas + decoder.end(), decoder


@pytest.mark.parametrize("quirk", QUIRKS)
def test_p6_all_that_was_said_is_shown(quirk: str) -> None:
    events, text, stop, thinking, calls = QUIRKS[quirk]
    for size in (1_000_000, 1):
        deltas, decoder = answer(stream_of(events), size)
        assert decoder.failure is None and decoder.done, size
        assert (text_of(deltas), thinking_of(deltas)) == (text, thinking), size
        called = tuple((d.name, d.args) for d in deltas if isinstance(d, ToolRequest))
        assert called == calls, size
        assert isinstance(deltas[-1], Finished) and deltas[-1].stop_reason == stop, size


BYTES = {
    "half a character as bytes": (b"\xf0\x9f", b"\x98\x80", "a\U0001f600b"),
    "three bytes and one": (b"\xf0\x9f\x98", b"\x80", "a\U0001f600b"),
    "no rest": (b"\xf0\x9f", b"", "a\ufffdb"),
    "another encoding": (b"\xe9", b"t\xe9", "a\ufffdt\ufffdb"),
}


@pytest.mark.parametrize("size", [1_000_000, 1])
@pytest.mark.parametrize("case", BYTES)
def test_bytes_that_are_no_utf8_end_no_answer(case: str, size: int) -> None:
    first, second, text = BYTES[case]
    one = b'data: {"choices": [{"delta": {"content": "a%b"}}]}\n\n' % first
    two = b'data: {"choices": [{"delta": {"content": "%bb"}}]}\n\n' % second
    deltas, decoder = answer(one + two + stream_of([STOP]), size)
    assert decoder.failure is None
    assert text_of(deltas) == text


CUT = {
    "no reason": [piece("Hello")],
    "an empty reason": [piece("Hello", "")],
    "done without a reason": [piece("Hello"), DONE],
    "vLLM: aborted": [piece("Hello"), piece("", "abort"), DONE],
    "OpenRouter: the reason is an error": [piece("Hello"), piece("", "error"), DONE],
    "DeepSeek: out of resources": [piece("Hello", "insufficient_system_resource"), DONE],
    "only another answer": [
        {"choices": [{"index": 1, "delta": {"content": "x"}, "finish_reason": "stop"}]}
    ],
}


@pytest.mark.parametrize("size", [1_000_000, 1])
@pytest.mark.parametrize("case", CUT)
def test_p6_an_answer_that_broke_off_is_never_complete(case: str, size: int) -> None:
    deltas, decoder = answer(stream_of(CUT[case]), size)
    assert not any(isinstance(delta, Finished) for delta in deltas)
    assert decoder.failure is not None and decoder.failure.code == "upstream_truncated"


@pytest.mark.parametrize("size", [1_000_000, 1])
@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
@pytest.mark.parametrize("field", ["", "error: "])
def test_an_error_that_is_no_event_within_a_stream(field: str, end: str, size: int) -> None:
    error = field + json.dumps({"error": {"message": "busy", "type": "rate_limit_error"}}) + end
    deltas, decoder = answer(stream_of([piece("Hel")]) + error.encode(), size)
    assert text_of(deltas) == "Hel"
    assert decoder.failure is not None and decoder.failure.code == "upstream_overloaded"


def test_a_call_without_a_name_that_has_arguments_is_a_failure() -> None:
    _, decoder = answer(stream_of([called(function(None, "{}")), STOP]), 1_000_000)
    assert decoder.failure is not None and decoder.failure.code == "upstream_error"
