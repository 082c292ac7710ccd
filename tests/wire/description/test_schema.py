"""The published schema takes what the server sends, and nothing else."""

from typing import Any

import jsonschema_rs
import msgspec
import pytest

from engine.events import INTERNAL, AnyEvent, Event
from scripts.export_schema import PATH, text
from tests import fixtures
from tests.engine.test_events import EXAMPLES, STAMP
from wire import frames
from wire.description.schema import event_schema
from wire.parse import dumps

SCHEMA = jsonschema_rs.validator_for(event_schema())
TOKEN = {"type": "token", "content": "Hi", "index": 0, "runId": "run_1", "seq": 3}
LIMITS = frames.ConnectionLimits(messages_per_minute=30, message_bytes=1, idle_ms=1)
FRAMES = [
    frames.AuthOk(
        agent_id="agt_1",
        agent_name="A",
        protocol=1,
        session_id="sess_1",
        heartbeat_ms=1,
        limits=LIMITS,
    ),
    frames.Subscribed(conversation_id="c", active_run_id="run_1", reply_to=1),
    frames.Pong(reply_to="a"),
    frames.Ping(),
    frames.Reconnect(delay_ms=1),
    frames.Error(code="invalid_message", message="No.", details={"field": "$"}),
]


def sealed(event: Event) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(STAMP.seal(event, 1))
    return found


def test_it_works() -> None:
    assert SCHEMA.is_valid(TOKEN)


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.type)
def test_every_event_that_anybody_gets_fits(event: AnyEvent) -> None:
    assert SCHEMA.is_valid(sealed(event)) is (event.type not in INTERNAL)


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: type(frame).__name__)
def test_every_other_frame_fits(frame: frames.AnyFrame) -> None:
    SCHEMA.validate(msgspec.json.decode(dumps(frame)))


@pytest.mark.parametrize("name", fixtures.NAMES)
def test_the_runs_that_all_folds_are_tested_on_fit(name: str) -> None:
    run = fixtures.load(name)
    for event in run["events"]:
        assert SCHEMA.is_valid(event) is (event["type"] not in INTERNAL), event
    SCHEMA.validate(fixtures.snapshot(name))


@pytest.mark.parametrize(
    "wrong",
    [
        {"surprise": 1},
        {"seq": 0},
        {"content": None},
        {"type": "future"},
        {"conversationId": "conv_1"},  # a token carries only what is listed
    ],
)
def test_what_is_not_declared_does_not_fit(wrong: dict[str, Any]) -> None:
    assert not SCHEMA.is_valid(TOKEN | wrong)


@pytest.mark.parametrize("field", TOKEN)
def test_nothing_may_be_missing(field: str) -> None:
    assert not SCHEMA.is_valid({name: TOKEN[name] for name in TOKEN if name != field})


def test_the_schema_in_the_documents_is_current() -> None:
    """`python -m scripts.export_schema` writes it."""
    assert PATH.read_text("utf-8") == text()
