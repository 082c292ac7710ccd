"""`wire.encoders.responses`: events of Responses."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

from engine.errors import ClawError
from tests import fixtures
from tests.wire.contract import WHOLE, EncoderContract, batch_of, cut, snapshot_at
from tests.wire.encoders.test_native import read
from wire.encoders.responses import ResponseEvents
from wire.facade.responses.objects import Response
from wire.selection import Selection
from wire.visibility import EVERYTHING

KNOWN: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
RESPONSE = Response(id="resp_1", created_at=5, status="in_progress", model="helper")
ENDS = {
    "complete": ("completed", "completed"),
    "cancelled": ("incomplete", "cancelled"),
    "cancelled_while_queued": ("incomplete", "cancelled"),
    "failed": ("failed", "failed"),
    "interrupted": ("failed", "failed"),
}


def events(writes: Sequence[bytes]) -> list[dict[str, Any]]:
    return [msgspec.json.decode(data) for data in read(b"".join(writes))]


def encoder(**options: Any) -> ResponseEvents:
    return ResponseEvents(Selection(EVERYTHING), "run_1", response=RESPONSE, **options)


def told(name: str, **options: Any) -> list[dict[str, Any]]:
    one = encoder(**options)
    return events(one.opening() + one.events(batch_of(name)) + one.close())


def kinds(said: Sequence[dict[str, Any]]) -> list[str]:
    return [each["type"].removeprefix("response.") for each in said]


class TestResponseEvents(EncoderContract):
    protocol = ResponseEvents

    def text(self, writes: Sequence[bytes]) -> str:
        said = events(writes)
        return "".join(
            each["delta"] for each in said if each["type"] == "response.output_text.delta"
        )


def test_it_works() -> None:
    said = told("complete")
    assert kinds(said)[:4] == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
    ]
    assert set(kinds(said)[4:-4]) == {"output_text.delta"}
    assert kinds(said)[-4:] == [
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    response = said[-1]["response"]
    (message,) = response["output"]
    text = "".join(each["delta"] for each in said[4:-4])
    assert message["content"] == [
        {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    ]
    assert (message["id"], message["status"]) == ("msg_1_0", "completed")
    assert (response["id"], response["status"]) == ("resp_1", "completed")
    assert response["usage"]["total_tokens"] > 0 and response["completed_at"] >= 5


@pytest.mark.parametrize("name", fixtures.NAMES)
def test_the_library_knows_every_event(name: str) -> None:
    for event in told(name):
        assert KNOWN.validate_python(event).type == event["type"]


@pytest.mark.parametrize("name", fixtures.NAMES)
def test_events_are_numbered_from_0(name: str) -> None:
    said = told(name)
    assert [event["sequence_number"] for event in said] == [*range(len(said))]


@pytest.mark.parametrize(("name", "end"), ENDS.items())
def test_every_ending_is_told_after_all_that_is_open(name: str, end: tuple[str, str]) -> None:
    said = told(name)
    assert (kinds(said)[-1], said[-1]["response"]["status"]) == end
    for begin, finish in (
        ("output_item.added", "output_item.done"),
        ("content_part.added", "content_part.done"),
        ("reasoning_summary_part.added", "reasoning_summary_part.done"),
    ):
        assert kinds(said).count(begin) == kinds(said).count(finish)
    assert len(said[-1]["response"]["output"]) == kinds(said).count("output_item.added")


@pytest.mark.parametrize(
    ("reason", "details"),
    [
        ("max_tokens", {"reason": "max_output_tokens"}),
        ("refusal", {"reason": "content_filter"}),
    ],
)
def test_an_answer_that_was_cut_is_incomplete(reason: str, details: dict[str, str]) -> None:
    types, lines, last = batch_of("complete")
    lines = [line.replace(b'"end_turn"', msgspec.json.encode(reason)) for line in lines]
    one = encoder()
    *_, end = events(one.opening() + one.events((types, lines, last)))
    assert (end["type"], end["response"]["status"]) == ("response.incomplete", "incomplete")
    assert end["response"]["incomplete_details"] == details
    assert end["response"]["output"][-1]["status"] == "incomplete"


def test_thoughts_are_an_item_of_their_own() -> None:
    said = told("thinking")
    reasoning, message = said[-1]["response"]["output"]
    assert (reasoning["type"], message["type"]) == ("reasoning", "message")
    thought = "".join(each["delta"] for each in said if each["type"].endswith("summary_text.delta"))
    assert reasoning["summary"] == [{"type": "summary_text", "text": thought}]
    assert kinds(said).index("reasoning_summary_part.done") < kinds(said).index("output_text.delta")


@pytest.mark.parametrize("name", fixtures.NAMES)
def test_a_replay_says_the_same_from_any_number_on(name: str) -> None:
    said = told(name)
    for known in range(-1, len(said)):
        assert told(name, known=known) == said[known + 1 :]


def test_what_is_made_in_the_background_is_queued_first() -> None:
    response = msgspec.structs.replace(RESPONSE, status="queued", background=True)
    one = ResponseEvents(Selection(EVERYTHING), "run_1", response=response)
    said = events(one.opening())
    assert kinds(said) == ["created", "queued", "in_progress"]
    assert [each["response"]["status"] for each in said] == ["queued", "queued", "in_progress"]


def test_a_stream_that_is_cut_says_nothing_that_a_replay_would_not() -> None:
    one = encoder()
    one.events(batch_of("streaming"))
    assert one.close(ClawError("unavailable", "Soon.")) == []


def test_the_end_comes_with_the_last_event() -> None:
    """The answer is stored by then, so a client that leaves after it cancels nothing."""
    one = encoder()
    *before, last = cut(batch_of("complete"), 1)
    assert "completed" not in kinds(events([w for batch in before for w in one.events(batch)]))
    assert kinds(events(one.events(last)))[-1] == "completed"


def test_a_snapshot_is_a_whole_response() -> None:
    for name in WHOLE:
        one = encoder()
        said = events(one.opening() + one.snapshot(snapshot_at(batch_of(name))))
        whole = told(name)[-1]["response"]
        assert said[-1]["response"] | {"completed_at": None} == whole | {"completed_at": None}


def test_the_client_s_own_calls_are_items() -> None:
    said = told("decided")
    (call,) = [item for item in said[-1]["response"]["output"] if item["type"] == "function_call"]
    assert (call["name"], call["status"]) == ("show_map", "completed")
    kinds_of_call = [each["type"] for each in said if each.get("item_id") == call["id"]]
    assert kinds_of_call == [
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
    ]
    assert "function_call" not in str(told("tools"))  # the agent's own
