"""What relays of the Messages API were seen to send, each as a stream in, and the answer out."""

import json
from typing import Any, NamedTuple

import pytest

from engine.providers.anthropic.decode import Decoder
from engine.providers.base import Counted, Delta, Finished, ToolRequest
from tests.engine.providers.anthropic.test_decode import delta, event, start, stop
from tests.engine.providers.contract import text_of, thinking_of

OPEN = start(0, type="text", text="")
CALL = start(0, type="tool_use", id="t", name="n", input={})
HELLO = [OPEN, delta(0, type="text_delta", text="Hel"), delta(0, type="text_delta", text="lo")]
MESSAGE = {"content": [{"type": "text", "text": "Hello"}], "stop_reason": "end_turn"}


def bare(name: str | None, **fields: Any) -> bytes:
    """An event whose name in the stream is another than its type."""
    line = f"event: {name}\n" if name else ""
    return f"{line}data: {json.dumps(fields)}\n\n".encode()


def piece(name: str | None, text: str) -> bytes:
    kind, said = "content_block_delta", {"type": "text_delta", "text": text}
    return bare(name, type=kind, index=0, delta=said)


class Quirk(NamedTuple):
    events: list[bytes]
    text: str = "Hello"
    stop: str = "end_turn"
    thinking: str = ""
    calls: tuple[dict[str, Any], ...] = ()


QUIRKS = {
    "no names": Quirk([OPEN, piece(None, "Hel"), piece(None, "lo"), stop("end_turn")]),
    "all named message": Quirk([piece("message", "Hel"), piece("Message", "lo"), stop("end_turn")]),
    "names in capitals": Quirk([OPEN, piece("CONTENT_BLOCK_DELTA", "Hello"), stop("end_turn")]),
    "types in capitals": Quirk(
        [
            bare("", type="CONTENT_BLOCK_START", index=0, content_block={"type": "text"}),
            delta(0, type="Text_Delta", text="Hello"),
            stop("end_turn"),
        ]
    ),
    "a block that is a text": Quirk(
        [event("content_block_start", index=0, content_block="Hello"), stop("end_turn")]
    ),
    "a name for a type": Quirk(
        [bare("content_block_delta", index=0, delta={"text": "Hello"}), stop("end_turn")]
    ),
    "content for a text": Quirk(
        [OPEN, delta(0, type="text_delta", content="Hello"), stop("end_turn")]
    ),
    "a reason beside its delta": Quirk(
        [*HELLO, event("message_delta", delta={}, stop_reason="end_turn"), event("message_stop")]
    ),
    "a reason without a delta": Quirk(
        [*HELLO, event("message_delta", stop_reason="max_tokens")], stop="max_tokens"
    ),
    "a reason in the message": Quirk(
        [*HELLO, event("message_delta", message={"stop_reason": "end_turn"})]
    ),
    "a reason in the last event": Quirk([*HELLO, event("message_stop", stop_reason="end_turn")]),
    "a reason in the message of the last event": Quirk(
        [*HELLO, event("message_stop", message=MESSAGE)]
    ),
    "a whole message in the last event": Quirk([event("message_stop", message=MESSAGE)]),
    "a text beside its delta": Quirk(
        [
            OPEN,
            event("content_block_delta", index=0, text="Hel"),
            event("content_block_delta", index=0, delta=None, text="lo"),
            stop("end_turn"),
        ]
    ),
    "an empty text": Quirk([*HELLO, delta(0, type="text_delta", text=""), stop("end_turn")]),
    "done before message_stop": Quirk(
        [*HELLO, event("message_delta", delta={"stop_reason": "end_turn"}), b"data: [DONE]\n\n"]
    ),
    "no message_stop": Quirk([*HELLO, event("message_delta", delta={"stop_reason": "end_turn"})]),
    "no empty line at the end": Quirk(
        [*HELLO, event("message_delta", delta={"stop_reason": "end_turn"})[:-2]]
    ),
    "text without a block": Quirk([HELLO[1], HELLO[2], stop("end_turn")]),
    "text after its block has ended": Quirk(
        [OPEN, HELLO[1], event("content_block_stop", index=0), HELLO[2], stop("end_turn")]
    ),
    "text on a block of an unknown kind": Quirk(
        [start(0, type="future"), HELLO[1], HELLO[2], stop("end_turn")]
    ),
    "text and thinking on a call": Quirk(
        [
            *(CALL, HELLO[1], HELLO[2], delta(0, type="thinking_delta", thinking="hm")),
            delta(0, type="input_json_delta", partial_json='{"a": 1}'),
            *(event("content_block_stop", index=0), stop("tool_use")),
        ],
        stop="tool_use",
        thinking="hm",
        calls=({"a": 1},),
    ),
    "thinking on a text": Quirk(
        [*HELLO, delta(0, type="thinking_delta", thinking="hm"), stop("end_turn")], thinking="hm"
    ),
    "a whole call under any reason": Quirk(
        [CALL, event("content_block_stop", index=0), stop("STOP")],
        text="",
        stop="tool_use",
        calls=({},),
    ),
    "a call whose end is not said": Quirk(
        [CALL, delta(0, type="input_json_delta", partial_json='{"a": 1}'), stop("tool_use")],
        text="",
        stop="tool_use",
        calls=({"a": 1},),
    ),
    "arguments that are objects": Quirk(
        [CALL, delta(0, type="input_json_delta", partial_json={"a": 1}), stop("tool_use")],
        text="",
        stop="tool_use",
        calls=({"a": 1},),
    ),
    "arguments under another index than their call": Quirk(
        [
            *(CALL, delta(1, type="input_json_delta", partial_json='{"a": ')),
            *(delta(1, type="input_json_delta", partial_json="1}"), stop("tool_use")),
        ],
        text="",
        stop="tool_use",
        calls=({"a": 1},),
    ),
    "remarks without a type": Quirk(
        [
            *(HELLO[0], HELLO[1], bare(None, detail="meta"), HELLO[2]),
            *(bare(None, message="cost 3"), stop("end_turn")),
        ]
    ),
    "an input that is a text": Quirk(
        [start(0, type="tool_use", name="n", input='{"a": 1}'), stop("tool_use")],
        text="",
        stop="tool_use",
        calls=({"a": 1},),
    ),
    "blocks of one index": Quirk(
        [
            start(0, type="text", text="Hel"),
            start(0, type="text", text="lo"),
            *(CALL, delta(0, type="input_json_delta", partial_json="{}")),
            *(start(0, type="text", text=""), stop("tool_use")),
        ],
        stop="tool_use",
        calls=({},),
    ),
    "a tool turn without a call": Quirk([*HELLO, stop("tool_use")]),
    "a whole message": Quirk([event("message_start", message=MESSAGE), event("message_stop")]),
    "a whole message as the event": Quirk([bare(None, type="message", **MESSAGE)]),
    "null everywhere": Quirk(
        [
            event("message_start", message=None),
            event("content_block_start", index=None, content_block=None),
            start(0, type="text", text=None),
            *(delta(0, type="text_delta", text=None), event("content_block_delta", delta=None)),
            *(HELLO[1], HELLO[2], event("message_delta", delta=None, usage=None)),
            stop("end_turn"),
        ]
    ),
    "what is no event": Quirk(
        [
            b"data: null\n\ndata: []\n\ndata: 7\n\ndata: ping\n\ndata: {}\n\n",
            *(*HELLO, b'event: future\ndata: {"a\n\n', stop("end_turn")),
        ]
    ),
    "texts of other types": Quirk(
        [
            delta(0, type="text_delta", text=[{"type": "text", "text": "He"}, "l"]),
            delta("0", type="text_delta", text={"value": "lo"}),  # type: ignore[arg-type]
            stop("end_turn"),
        ]
    ),
    "usage of any kind": Quirk(
        [
            event("message_start", message={"usage": "many"}),
            *(*HELLO, event("message_delta", delta={}, usage=[1]), stop("end_turn")),
        ]
    ),
    "half a character in each of two pieces": Quirk(
        [
            b'data: {"type": "content_block_delta", "delta": {"text": "a\\ud83d"}}\n\n',
            b'data: {"type": "content_block_delta", "delta": {"text": "\\ude00b"}}\n\n',
            b'data: {"type": "content_block_delta", "delta": {"text": "\\ude00\xff\\ud83d"}}\n\n',
            stop("end_turn"),
        ],
        text="a\U0001f600b\ufffd\ufffd\ufffd",
    ),
}


def answer(stream: bytes, size: int) -> tuple[list[Delta], Decoder]:
    decoder = Decoder("sk-SECRET")
    deltas: list[Delta] = []
    for begin in range(0, len(stream), size):
        deltas += decoder.feed(stream[begin : begin + size])
        if decoder.done or decoder.failure is not None:
            return deltas, decoder
    return deltas + decoder.end(), decoder


@pytest.mark.parametrize("quirk", QUIRKS)
def test_p6_all_that_was_said_is_shown(quirk: str) -> None:
    events, text, reason, thinking, calls = QUIRKS[quirk]
    for size in (1_000_000, 1):
        deltas, decoder = answer(b"".join(events), size)
        assert decoder.failure is None and decoder.done, size
        assert (text_of(deltas), thinking_of(deltas)) == (text, thinking), size
        assert tuple(d.args for d in deltas if isinstance(d, ToolRequest)) == calls, size
        assert isinstance(deltas[-1], Finished) and deltas[-1].stop_reason == reason, size


def test_text_that_came_on_a_call_goes_back_before_it() -> None:
    deltas, _ = answer(b"".join(QUIRKS["text and thinking on a call"].events), 1_000_000)
    assert isinstance(deltas[-1], Finished)
    assert [block["type"] for block in deltas[-1].blocks] == ["text", "tool_use"]


def test_the_text_of_a_paused_turn_goes_back() -> None:
    deltas, _ = answer(b"".join([*HELLO, stop("pause_turn")]), 1_000_000)
    assert deltas[-1] == Finished("pause_turn", [{"type": "text", "text": "Hello"}])


@pytest.mark.parametrize("reason", [None, "", "error", "abort"])
def test_p6_an_answer_that_broke_off_is_never_complete(reason: str | None) -> None:
    deltas, decoder = answer(b"".join([*HELLO, stop(reason)]), 1_000_000)
    assert not any(isinstance(delta, Finished) for delta in deltas)
    assert decoder.failure is not None and decoder.failure.code == "upstream_truncated"


def test_arguments_that_belong_to_no_call_are_a_failure() -> None:
    part = delta(3, type="input_json_delta", partial_json='{"a": 1}')
    _, decoder = answer(b"".join([*HELLO, part, stop("end_turn")]), 1_000_000)
    assert decoder.failure is not None and decoder.failure.code == "upstream_error"


@pytest.mark.parametrize("count", [-1, 2**31, "many", True, [5], {}, 1e300, "NaN"])
def test_a_count_that_nobody_can_believe_is_unknown(count: Any) -> None:
    deltas, decoder = answer(event("message_start", message={"usage": {"input_tokens": count}}), 99)
    assert isinstance(deltas[0], Counted) and deltas[0].counts.input_tokens is None
    assert decoder.failure is not None and decoder.failure.code == "upstream_truncated"


@pytest.mark.parametrize("count", [5, 5.0, "5", "5.0"])
def test_a_count_may_be_written_in_several_ways(count: Any) -> None:
    deltas, _ = answer(event("message_start", message={"usage": {"input_tokens": count}}), 99)
    assert isinstance(deltas[0], Counted) and deltas[0].counts.input_tokens == 5


def test_a_zero_takes_no_count_back() -> None:
    first = event("message_start", message={"usage": {"input_tokens": 5, "output_tokens": 0}})
    last = event("message_delta", delta={}, usage={"input_tokens": 0, "output_tokens": 9})
    deltas, _ = answer(first + last, 1_000_000)
    assert isinstance(deltas[-1], Counted)
    assert (deltas[-1].counts.input_tokens, deltas[-1].counts.output_tokens) == (5, 9)


COUNTS = {"input_tokens": 7, "output_tokens": 9}


@pytest.mark.parametrize(
    "said",
    [
        event("message_start", message={}, usage=COUNTS),
        event("message_delta", delta={"usage": COUNTS}),
        event("message_delta", delta={}, message={"usage": COUNTS}),
        event("message_delta", usage=COUNTS),
        event("message_stop", usage=COUNTS),
        event("message_stop", message={"usage": COUNTS}),
    ],
)
def test_counts_count_wherever_they_stand(said: bytes) -> None:
    deltas, _ = answer(said, 1_000_000)
    counts = [delta.counts for delta in deltas if isinstance(delta, Counted)]
    assert (counts[-1].input_tokens, counts[-1].output_tokens) == (7, 9)


@pytest.mark.parametrize(
    "said",
    [
        bare(None, type="error", message="Too many requests"),
        bare(None, type="error", error=None, message="Too many requests"),
        bare("error", message="Too many requests"),
        bare("Error", detail={"message": "Too many requests"}),
        bare(None, message="Too many requests", code=429),
        bare(None, detail="Too many requests"),
        b"event: ERROR\ndata: Too many requests\n\n",
    ],
)
def test_an_error_says_why_wherever_its_words_stand(said: bytes) -> None:
    _, decoder = answer(said, 1_000_000)
    assert decoder.failure is not None and decoder.failure.code == "upstream_overloaded"
    assert "Too many requests" in decoder.failure.reason


def test_a_prompt_of_no_tokens_was_not_counted() -> None:
    nothing = {"input_tokens": 0, "output_tokens": 0, "cache_read_input_tokens": 0}
    deltas, _ = answer(event("message_start", message={"usage": nothing}), 1_000_000)
    assert isinstance(deltas[0], Counted) and deltas[0].counts.input_tokens is None
    cached = {**nothing, "cache_read_input_tokens": 5}
    deltas, _ = answer(event("message_start", message={"usage": cached}), 1_000_000)
    assert isinstance(deltas[0], Counted) and deltas[0].counts.input_tokens == 5
