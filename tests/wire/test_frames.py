"""`wire.frames`: what the server says besides events, in one definition."""

from typing import get_args

import msgspec
import pytest

from tests import fixtures
from wire import frames
from wire.frames import AnyFrame, ConnectionLimits, Error, Snapshot
from wire.parse import dumps

LIMITS = ConnectionLimits(messages_per_minute=30, message_bytes=32768, idle_ms=300_000)
EXAMPLES: list[AnyFrame] = [
    frames.AuthOk(
        agent_id="agt_1",
        agent_name="Helper",
        protocol=1,
        session_id="sess_1",
        heartbeat_ms=30_000,
        limits=LIMITS,
    ),
    frames.Subscribed(conversation_id="conv_1", active_run_id="run_1"),
    frames.Pong(),
    frames.Ping(),
    frames.Reconnect(delay_ms=1000),
    Error(code="rate_limited", message="Slow down.", retry_after=5, reply_to=7),
]


def test_it_works() -> None:
    assert dumps(EXAMPLES[-1]) == (
        b'{"type":"error","replyTo":7,"code":"rate_limited","message":"Slow down.","retryAfter":5}'
    )
    assert dumps(frames.Pong()) == b'{"type":"pong"}'


def test_there_is_an_example_of_every_frame() -> None:
    assert {*map(type, EXAMPLES), Snapshot} == set(get_args(AnyFrame))


@pytest.mark.parametrize("frame", EXAMPLES, ids=lambda frame: type(frame).__name__)
def test_every_frame_comes_back_as_it_went(frame: AnyFrame) -> None:
    assert msgspec.json.decode(dumps(frame), type=AnyFrame) == frame


@pytest.mark.parametrize("name", fixtures.NAMES)
def test_the_fold_of_a_run_is_a_snapshot_with_nothing_undeclared(name: str) -> None:
    sent = fixtures.snapshot(name)
    frame = msgspec.convert(sent, Snapshot)
    declared = msgspec.to_builtins(frame)
    assert frame.message.content == sent["message"]["content"]
    assert set(sent) <= set(declared) | {"replyTo"}
    assert set(sent["message"]) == set(declared["message"])
