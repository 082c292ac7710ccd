"""Whatever a model server sends: deltas that can be stored, and at worst a `ProviderError`."""

import json
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ProviderError
from engine.events import decode
from engine.limits.room import Room
from engine.model_call import ModelCall
from engine.providers.anthropic import decode as anthropic_decode
from engine.providers.openai import decode as openai_decode
from engine.providers.server.decoder import StreamDecoder
from engine.providers.server.sse import SseParser, TooLong
from engine.tools.call_ids import CallIds
from tests.engine.providers.anthropic.test_decode import delta, event, start, stop
from tests.engine.providers.contract import ask, text_of
from tests.engine.providers.openai.test_decode import DONE, call, chunk
from tests.engine.providers.openai.test_decode import delta as piece
from tests.engine.test_events import STAMP
from tests.mutations import damaged, fuzz

TESTS = 5
USAGE = {"input_tokens": 12, "output_tokens": 1, "cache_read_input_tokens": 3}
MESSAGES = [
    event("message_start", message={"id": "m", "usage": USAGE}),
    event("ping"),
    start(0, type="text", text=""),
    delta(0, type="text_delta", text="Hello 😀"),
    event("content_block_stop", index=0),
    start(1, type="thinking", thinking="", signature=""),
    delta(1, type="thinking_delta", thinking="hm"),
    delta(1, type="signature_delta", signature="c2ln"),
    event("content_block_stop", index=1),
    start(2, type="tool_use", id="t", name="n", input={}),
    delta(2, type="input_json_delta", partial_json='{"a": [1, '),
    delta(2, type="input_json_delta", partial_json='"b"]}'),
    event("content_block_stop", index=2),
    event("error", error={"type": "overloaded_error", "message": "x"}),
    event("message_delta", delta={"stop_reason": "tool_use"}, usage=USAGE),
    stop("end_turn"),
]
COUNTS = {"prompt_tokens": 4, "completion_tokens": 2, "total_tokens": 6}
COMPLETIONS = [
    piece(role="assistant", content=""),
    piece(content="Hello 😀"),
    piece(reasoning_content="hm"),
    piece(reasoning="hm"),
    call("n", '{"a": ', index=0, id="t"),
    call(None, "[1]}", index=0),
    call("m", "{}", id="u", extra_content={"google": {"x": 1}}),
    piece("tool_calls"),
    piece("stop"),
    chunk(choices=[], usage={**COUNTS, "prompt_tokens_details": {"cached_tokens": 1}}),
    chunk(error={"message": "x", "type": "server_error", "code": 500}),
    DONE,
]
streams = {
    anthropic_decode.Decoder: MESSAGES,
    openai_decode.Decoder: COMPLETIONS,
}
places = st.lists(st.integers(0, 4000), max_size=6)


def said_by_claude(texts: list[str]) -> tuple[StreamDecoder, list[bytes]]:
    """A decoder in the midst of a text, and the events of what comes next."""
    decoder = anthropic_decode.Decoder("sk-SECRET")
    decoder.feed(start(0, type="text", text="") + delta(0, type="text_delta", text="a"))
    return decoder, [delta(0, type="text_delta", text=text) for text in texts]


def said_by_others(texts: list[str]) -> tuple[StreamDecoder, list[bytes]]:
    decoder = openai_decode.Decoder("sk-SECRET")
    decoder.feed(piece(content="a"))
    return decoder, [piece(content=text) for text in texts]


def recorded(parts: list[bytes]) -> st.SearchStrategy[bytes]:
    """The whole stream with damage, or its events in any order with some."""
    shuffled = st.lists(damaged(parts), max_size=12).map(b"".join)
    return damaged([b"".join(parts)]) | shuffled


def pieces(data: bytes, at: list[int]) -> list[bytes]:
    """`data` as it may arrive."""
    ends = sorted({0, len(data), *(place for place in at if place < len(data))})
    return [data[begin:end] for begin, end in pairwise(ends)]


def feed(decoder: StreamDecoder, parts: list[bytes]) -> None:
    """To its end, as `read_answer` does; everything that it gives goes into events and back."""
    answer = ModelCall(ask("Hello"), Room(1 << 20), CallIds(), 0, 0)
    sealed: list[tuple[list[str], list[bytes]]] = []
    for part in [*parts, b""]:
        deltas = decoder.feed(part) if part else decoder.end()
        answer.pass_on(lambda events: sealed.append(STAMP.seal_all(events, 1)), deltas)
        if decoder.failure is not None or decoder.done:
            break
    for types, lines in sealed:
        assert [decode(line).type for line in lines] == types
    answer.usage("anthropic")
    assert decoder.done != (decoder.failure is not None)
    if decoder.done:
        assert answer.finished is not None
        json.dumps(answer.finished.blocks).encode()
    else:
        assert isinstance(decoder.failure, ProviderError)


@pytest.mark.parametrize("decoder", streams)
def test_it_works(decoder: type[StreamDecoder]) -> None:
    sound = [part for part in streams[decoder] if b"error" not in part]
    one = decoder("sk-SECRET")  # type: ignore[call-arg]
    feed(one, [b"".join(sound)])
    assert one.done


@fuzz(TESTS)
@given(recorded(MESSAGES), places)
def test_every_stream_of_the_messages_api_is_an_answer_or_fails(data: bytes, at: list[int]) -> None:
    feed(anthropic_decode.Decoder("sk-SECRET"), pieces(data, at))


@fuzz(TESTS)
@given(recorded(COMPLETIONS), places)
def test_every_stream_of_chat_completions_is_an_answer_or_fails(data: bytes, at: list[int]) -> None:
    feed(openai_decode.Decoder("sk-SECRET"), pieces(data, at))


@fuzz(TESTS * 4)
@given(st.lists(st.text(max_size=5), min_size=1, max_size=8), st.integers(0, 9))
@pytest.mark.parametrize("said", [said_by_claude, said_by_others])
def test_text_is_the_same_together_as_one_by_one(
    said: Callable[[list[str]], tuple[StreamDecoder, list[bytes]]], texts: list[str], odd: int
) -> None:
    together, events = said(texts)
    one_by_one, _ = said(texts)
    if odd < len(events):  # what one of them says is more than text
        events[odd] = events[odd].replace(b"\n\n", b"\n\n: comment\n\n", 1)
    whole = text_of(together.feed(b"".join(events)))
    assert whole == "".join(texts)
    assert whole == text_of([d for event in events for d in one_by_one.feed(event)])
    assert together.progress and one_by_one.progress


@fuzz(TESTS * 2)
@given(recorded(MESSAGES) | st.binary(max_size=60), places)
def test_events_are_the_same_however_their_bytes_arrive(data: bytes, at: list[int]) -> None:
    assert parsed([data]) == parsed(pieces(data, at))


def parsed(parts: list[bytes]) -> list[tuple[bytes, bytes]]:
    parser = SseParser(limit=10_000)
    try:
        return [found for part in parts for found in parser.feed(part)]
    except TooLong:
        return []  # how much came before it was noticed depends on the pieces
