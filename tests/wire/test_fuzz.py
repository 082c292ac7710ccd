"""Whatever a client sends: a typed request, or a `ClawError` that can be sent back to it."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from django.http import HttpRequest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from conversations.execution.acceptance import fingerprint
from conversations.transports.sse.views import read_chat
from core.http import flag, number, page_of
from engine.errors import ClawError
from engine.events import Event
from engine.transcript import fold_all
from tests.engine.test_events import EXAMPLES, STAMP
from tests.mutations import altered, damaged, fuzz
from wire import native
from wire.errors import envelope_of, status_of
from wire.frames import Error
from wire.objects import management
from wire.parse import decode, dumps
from wire.selection import Selection
from wire.sse import parse_event_id
from wire.visibility import visible

LIMIT = 500
TESTS = 10  # here and in tests/engine/providers/server/test_fuzz.py
VISIBILITY = visible(trusted=False, show_thinking=False, show_tools=True, show_usage=True)

FRAMES: list[dict[str, Any]] = [
    {"type": "auth", "id": 1, "token": "t", "agentId": "agt_1", "merge": True, "deltas": False},
    {"type": "message", "id": "a", "content": "Hi 😀", "conversationId": "c", "ifBusy": "queue"},
    {"type": "message", "content": "Hi", "clientMessageId": "m", "onDisconnect": "cancel"},
    {"type": "chat", "messages": [{"role": "user", "content": "Hi"}], "agentId": "agt_1"},
    {"type": "cancel", "runId": "run_0"},
    {"type": "cancel", "conversationId": "c"},
    {"type": "resume", "runId": "run_0", "lastSeq": 7},
    {"type": "subscribe", "conversationId": "c"},
    {"type": "unsubscribe", "conversationId": "c"},
    {"type": "ping", "id": 2},
    {"type": "pong"},
]
BODIES: list[dict[str, Any]] = [
    {"message": "Hi 😀", "conversationId": "c", "clientMessageId": "m", "ifBusy": "interrupt"},
    {"messages": [{"role": "assistant", "content": "a"}, {"role": "user", "content": "b"}]},
    {"content": "Hi", "stream": True, "merge": True, "onDisconnect": "continue"},
]
DECODERS = [
    msgspec.json.Decoder(kind)
    for kind in (management.AgentFields, management.NewKey, management.Rotation)
]
QUERIES = [
    b"message=Hi&agentId=agt_1&conversationId=c&merge=1",
    b"runId=run_0&lastSeq=12&deltas=true",
    b"limit=20&before=msg_1&after=%00&stream=true&token=x",
    b"message=%F0%9F%98%80%ff&limit=-1&lastSeq=1e9",
]


def encoded(samples: list[dict[str, Any]]) -> st.SearchStrategy[bytes]:
    """Damaged in its bytes, or in its fields."""
    plain = [json.dumps(sample, ensure_ascii=False).encode() for sample in samples]
    return damaged(plain) | altered(samples).map(lambda value: json.dumps(value).encode())


def answered(work: Callable[[], object]) -> None:
    """It works, or is refused with an error that has a status and can be sent."""
    try:
        work()
    except ClawError as error:
        assert status_of(error) in (400, 401, 413)
        dumps(envelope_of(error, "req_1"))


def test_it_works() -> None:
    with pytest.raises(AssertionError):
        answered(lambda: (_ for _ in ()).throw(ClawError("internal_error", "")))


@fuzz(TESTS)
@given(encoded(FRAMES) | damaged([b"STOP", b"{}"]))
def test_every_frame_is_one_or_refused(data: bytes) -> None:
    text = data.decode("utf-8", "replace")  # what is no UTF-8 does not come through a WebSocket

    def work() -> None:
        frame = native.parse_frame(text, message_bytes=LIMIT)
        if isinstance(frame, native.MessageFrame):
            fingerprint(frame.request("c"))
        elif isinstance(frame, native.Chat):
            fingerprint(frame.request())
        dumps(Error(code="x", message="y", reply_to=frame.id))

    answered(work)
    dumps(Error(code="x", message="y", reply_to=native.reply_id(text)))


@fuzz(TESTS)
@given(encoded(BODIES))
def test_every_body_is_a_request_or_refused(data: bytes) -> None:
    answered(lambda: fingerprint(native.parse_chat(data, message_bytes=LIMIT)))
    answered(lambda: fingerprint(native.parse_content(data, message_bytes=LIMIT)[0]))
    for decoder in DECODERS:
        answered(lambda decoder=decoder: decode(decoder, data))


@fuzz(TESTS)
@given(damaged(QUERIES), encoded(BODIES) | st.just(b""))
def test_every_query_string_is_a_request_or_refused(query: bytes, body: bytes) -> None:
    request = asked(query, body)
    answered(lambda: fingerprint(read_chat(request)))
    answered(lambda: page_of(request))
    for name in ("lastSeq", "limit"):
        answered(lambda name=name: number(request, name))
    for name in ("merge", "deltas", "stream"):
        answered(lambda name=name: flag(request, name))


@fuzz(TESTS)
@given(damaged([b"run_0123456789abcdef:12"]) | st.binary(max_size=20))
def test_every_event_id_is_a_position_or_refused(data: bytes) -> None:
    answered(lambda: parse_event_id("Last-Event-ID", data.decode("latin-1")))


@fuzz(TESTS)
@given(st.lists(st.sampled_from(EXAMPLES), max_size=30))
def test_a_merging_watcher_gets_what_adds_up_to_the_same(events: list[Event]) -> None:
    lines = [STAMP.seal(event, seq) for seq, event in enumerate(events, 1)]
    batch = ([event.type for event in events], lines, len(events))
    plain = list(Selection(VISIBILITY).select(batch))
    shown = list(Selection(VISIBILITY, merge=True).select(batch))
    text = fold_all([data for _, _, data in plain]).text
    assert str(fold_all([data for _, _, data in shown]).text) == str(text)
    assert [seq for seq, _, _ in shown] == sorted({seq for seq, _, _ in shown})
    assert {kind for _, kind, _ in shown} == {kind for _, kind, _ in plain}


def asked(query: bytes, body: bytes) -> HttpRequest:
    headers = {"authorization": "Bearer x"}
    return RequestFactory().generic(
        "POST",
        "/api/chat",
        body,
        "application/json",
        QUERY_STRING=query.decode("latin-1"),
        headers=headers,
    )
