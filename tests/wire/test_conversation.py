"""`wire.conversation`: the native events under the names of the conversation route."""

import json

import pytest

from engine.events import decode
from engine.visibility import visible
from tests import fixtures
from wire.conversation import ConversationView
from wire.view import Sealed

EVENTS = fixtures.load("tools")["events"]
BATCH: list[Sealed] = [(e["seq"], e["type"], json.dumps(e).encode()) for e in EVENTS]


def seen(*, merge: bool = False) -> list[dict[str, object]]:
    view = ConversationView(visible(trusted=True, show_thinking=True, show_tools=True), merge=merge)
    return [json.loads(data) for _, _, data in view.select(BATCH)]


def test_it_works() -> None:
    for event in seen():
        if event["type"] == "token":
            assert event["token"] == event["content"]
        if event["type"] in ("message_complete", "done"):
            assert event["usage"]["total"] == event["usage"]["totalTokens"]  # type: ignore[index]


@pytest.mark.parametrize("merge", [True, False])
def test_they_are_still_native_events(merge: bool) -> None:
    for event in seen(merge=merge):
        decode(json.dumps(event).encode())


def test_what_is_hidden_stays_hidden() -> None:
    assert {"step", "tool_call_delta"} & {event["type"] for event in seen()} == set()


def test_the_usage_of_one_model_call_is_no_total() -> None:
    assert all("total" not in event for event in seen() if event["type"] == "usage")
