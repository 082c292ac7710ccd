"""`wire.encoders.completions`: chunks of Chat Completions."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from engine.errors import ClawError
from tests.wire.contract import WHOLE, EncoderContract, batch_of, cut, snapshot_at
from tests.wire.encoders.test_native import read
from wire.encoders.completions import CompletionChunks
from wire.selection import Selection
from wire.visibility import EVERYTHING

DONE = b"[DONE]"


def chunks(writes: Sequence[bytes]) -> list[dict[str, Any]]:
    return [msgspec.json.decode(data) for data in read(b"".join(writes)) if data != DONE]


def deltas(writes: Sequence[bytes], field: str) -> str:
    """What the client puts together of one field."""
    found = [chunk["choices"][0]["delta"] for chunk in chunks(writes) if chunk.get("choices")]
    return "".join(delta.get(field) or "" for delta in found)


def told(name: str, **options: Any) -> list[bytes]:
    selection = Selection(EVERYTHING)
    encoder = CompletionChunks(selection, "run_1", model="helper", created=5, **options)
    return encoder.opening() + encoder.events(batch_of(name)) + encoder.close()


class TestCompletionChunks(EncoderContract):
    protocol = CompletionChunks

    def text(self, writes: Sequence[bytes]) -> str:
        return deltas(writes, "content")

    def left_open(self, writes: Sequence[bytes]) -> bool:
        """Until the whole has ended the client waits, so the suite asks only for ended streams."""
        return read(b"".join(writes)).count(DONE) != 1


def test_a_chunk_has_the_form_of_openai_s() -> None:
    first, *_, last = chunks(told("complete"))
    assert first == {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 5,
        "model": "helper",
        "choices": [
            {
                "index": 0,
                "delta": {"role": "assistant", "content": ""},
                "logprobs": None,
                "finish_reason": None,
            }
        ],
    }
    assert last["choices"][0]["finish_reason"] == "stop"
    assert last["choices"][0]["delta"] == {}


def test_usage_comes_last_and_only_if_asked_for() -> None:
    *before, last = chunks(told("complete", with_usage=True))
    assert all(chunk["usage"] is None for chunk in before)
    assert last["choices"] == []
    usage = last["usage"]
    assert usage["prompt_tokens"] + usage["completion_tokens"] == usage["total_tokens"] > 0
    assert all("usage" not in chunk for chunk in chunks(told("complete")))


def test_thoughts_have_a_field_of_their_own() -> None:
    assert deltas(told("thinking"), "reasoning_content")
    assert not deltas(told("complete"), "reasoning_content")


@pytest.mark.parametrize(
    ("name", "code"), [("failed", "upstream_overloaded"), ("cancelled", "cancelled")]
)
def test_what_is_not_whole_ends_with_an_error_and_no_reason(name: str, code: str) -> None:
    writes = told(name)
    *before, error = chunks(writes)
    assert error["error"]["code"] == code and error["error"]["message"]
    assert all(chunk["choices"][0]["finish_reason"] is None for chunk in before)
    assert read(b"".join(writes))[-1] == DONE


def test_a_client_that_is_left_is_told_once() -> None:
    encoder = CompletionChunks(Selection(EVERYTHING), "run_1")
    encoder.events(batch_of("streaming"))
    error, done = encoder.close(ClawError("unavailable", "Soon."))
    assert chunks([error])[0]["error"]["message"] == "Soon."
    assert read(done) == [DONE] and encoder.close() == []


def test_the_end_comes_with_the_last_event() -> None:
    """The answer is stored by then, so a client that leaves after it cancels nothing."""
    encoder = CompletionChunks(Selection(EVERYTHING), "run_1")
    *before, last = cut(batch_of("complete"), 1)
    assert DONE not in read(b"".join(write for batch in before for write in encoder.events(batch)))
    assert read(b"".join(encoder.events(last)))[-1] == DONE


def test_the_end_of_a_snapshot_is_that_of_the_run() -> None:
    for name in WHOLE:
        encoder = CompletionChunks(Selection(EVERYTHING), "run_1", with_usage=True)
        whole = encoder.opening() + encoder.snapshot(snapshot_at(batch_of(name)))
        assert chunks(whole)[-1].keys() == chunks(told(name, with_usage=True))[-1].keys()
        assert read(b"".join(whole))[-1] == DONE


def test_the_client_s_own_calls_come_whole() -> None:
    calls = [
        call
        for chunk in chunks(told("decided"))
        if chunk.get("choices")
        for call in chunk["choices"][0]["delta"].get("tool_calls", ())
    ]
    assert [(call["index"], call["type"], call["function"]["name"]) for call in calls] == [
        (0, "function", "show_map")
    ]
    assert isinstance(msgspec.json.decode(calls[0]["function"]["arguments"]), dict)
    assert b"tool_calls" not in b"".join(told("tools"))  # the agent's own
