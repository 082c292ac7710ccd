"""Whatever the model server does, a message has exactly one outcome, the same on every door."""

import asyncio
import random
from typing import Any

import pytest

from tests.live.clients import Event, Rest, WebSocket
from tests.live.server import Server
from tests.live.watching import Watch, check_history, check_run
from tests.upstream import expected_text

SETTINGS = {"CLAW_PROVIDER_IDLE_TIMEOUT": "3"}

PARTIAL = expected_text("tokens=5")
FAULTS = {
    # what the model server does: (code, text kept)
    "mode=http status=400": ("upstream_error", ""),
    "mode=http status=401": ("upstream_error", ""),
    "mode=http status=404": ("upstream_error", ""),
    "mode=http status=413": ("upstream_error", ""),
    "mode=http status=429 retry_after=3600": ("upstream_overloaded", ""),
    "mode=http status=500": ("upstream_error", ""),
    "mode=http status=504": ("upstream_timeout", ""),
    "mode=http status=529": ("upstream_overloaded", ""),
    "mode=redirect": ("upstream_error", ""),
    "mode=html": ("upstream_error", ""),
    "mode=refuse": ("upstream_error", ""),
    "mode=error": ("upstream_overloaded", PARTIAL),
    "mode=error etype=api_error": ("upstream_error", PARTIAL),
    "mode=error at=0": ("upstream_overloaded", ""),
    # Slowly: a connection that breaks takes with it what has not been read yet.
    "mode=drop how=rst delay=200": ("upstream_truncated", PARTIAL),
    "mode=drop how=fin delay=200": ("upstream_truncated", PARTIAL),
    "mode=truncate": ("upstream_truncated", PARTIAL),
    "mode=truncate at=20": ("upstream_truncated", expected_text("tokens=20")),
    "mode=nostop": ("upstream_truncated", expected_text("tokens=20")),
    "mode=malformed what=json": ("upstream_error", PARTIAL),
    "mode=malformed what=utf8": ("upstream_truncated", f"{PARTIAL}\ufffd\ufffd"),
    "mode=malformed what=chunk delay=200": ("upstream_truncated", PARTIAL),
    "mode=malformed what=html": ("upstream_truncated", PARTIAL),
    "mode=malformed what=endless": ("upstream_error", PARTIAL),
    "mode=stall": ("upstream_timeout", PARTIAL),
    "mode=stall at=0": ("upstream_timeout", ""),
    "mode=stall ping_ms=100": ("upstream_timeout", PARTIAL),
    "headers=60000": ("upstream_timeout", ""),
}
SURVIVED = {
    "mode=malformed what=event": expected_text("tokens=20"),
    "mode=malformed what=block": None,
    "mode=unknown": expected_text("tokens=20"),
    "mode=empty": "",
    "mode=thinking": expected_text("tokens=20"),
    "mode=redacted": expected_text("tokens=20"),
    "mode=http status=529 times=1 tag=once-{door}": expected_text("tokens=20"),
    "mode=refuse times=1 tag=refused-{door}": expected_text("tokens=20"),
    "split=1": expected_text("tokens=20"),
    "coalesce=1": expected_text("tokens=20"),
    "mode=tool tool=weather": None,
}
STOPS = ["end_turn", "max_tokens", "stop_sequence", "refusal"]
STATUS = {"upstream_overloaded": 503, "upstream_timeout": 504}  # else 502
DOORS = ["ws", "sse", "rest"]


async def answer(server: Server, door: str, keys: str) -> list[Event]:
    """The events of one run that was asked for over this door; REST's are read afterwards, and
    must say what its response said."""
    message = f"hello [[upstream {keys.format(door=door)}]]"
    watch = Watch(server)
    if door == "ws":
        await watch.ws({"content": message})
    elif door == "sse":
        await watch.sse({"message": message})
    else:
        async with Rest(server.url, server.keys.acme) as rest:
            response = await rest.post("/api/chat", {"message": message})
        body = response.json()
        about = body if response.status_code == 200 else body["error"]["details"]
        watch.run_id = about["runId"]
        await watch.sse(path=f"/api/runs/{watch.run_id}/events")
        check_response(response.status_code, body, watch.events[-2])
    return watch.events


def check_response(status: int, body: Any, outcome: Event) -> None:
    """The REST response is the outcome."""
    if outcome["type"] == "message_complete":
        assert status == 200
        assert body["stopReason"] == outcome["stopReason"]
        shown = body
    else:
        error = body["error"]
        assert status == STATUS.get(error["code"], 502)
        for name in ("code", "message", "retryAfter"):
            assert error.get(name) == outcome.get(name)
        shown = error["details"]
    assert (shown["content"], shown["usage"]) == (outcome["content"], outcome["usage"])


async def answers(server: Server, door: str, cases: list[str]) -> list[tuple[str, list[Event]]]:
    """All cases at once."""
    found = await asyncio.gather(*(answer(server, door, case) for case in cases))
    return list(zip(cases, found, strict=True))


@pytest.mark.parametrize("door", DOORS)
async def test_every_fault_is_one_error(server: Server, rest: Rest, door: str) -> None:
    """P5, P6, P9, P37: right code, the text so far, no word of the provider's, then `done`."""
    for case, events in await answers(server, door, list(FAULTS)):
        code, text = FAULTS[case]
        outcome = check_run(events, text)
        assert (outcome["type"], outcome["code"]) == ("error", code), case
        assert events[-1]["reason"] == "error"
        assert "SECRET" not in str(events)
        await check_history(rest, events)


@pytest.mark.parametrize("door", DOORS)
async def test_what_is_only_odd_is_complete(server: Server, rest: Rest, door: str) -> None:
    """P5, P9: unknown events and blocks, one refusal, bytes one by one, a tool we do not have."""
    for case, events in await answers(server, door, list(SURVIVED)):
        outcome = check_run(events, SURVIVED[case])
        assert outcome["type"] == "message_complete", case
        await check_history(rest, events)


@pytest.mark.parametrize("door", DOORS)
async def test_the_stop_reason_is_passed_on(server: Server, rest: Rest, door: str) -> None:
    """P6: an answer that was cut short by its limit says so."""
    for case, events in await answers(server, door, [f"stop={stop}" for stop in STOPS]):
        outcome = check_run(events)
        assert f"stop={outcome['stopReason']}" == case
        await check_history(rest, events)


async def test_a_refusal_says_when_to_come_back(server: Server) -> None:
    """P37: the provider's `retry-after`, in milliseconds; no waiting for an hour."""
    events = await answer(server, "ws", "mode=http status=429 retry_after=3600")
    assert (events[-2]["retryAfter"], events[-2]["retryable"]) == (3_600_000, True)


async def test_a_cancel_at_the_last_token_leaves_one_outcome(server: Server, rest: Rest) -> None:
    """P5: thirty races between the end of an answer and a stop, by frame and by request."""
    choose = random.Random(5)
    frames = await asyncio.gather(
        *(race(server, rest, after=choose.randint(16, 20), by_frame=i % 2 == 0) for i in range(30))
    )
    outcomes = []
    for seen in frames:
        run = [frame for frame in seen if "seq" in frame]
        outcomes.append(check_run(run)["type"])
        await check_history(rest, run)
        assert seen[-1]["type"] == "pong"
    assert set(outcomes) <= {"message_complete", "cancelled"}


async def race(server: Server, rest: Rest, *, after: int, by_frame: bool) -> list[Event]:
    """Stop a run of 20 tokens after so many; everything the socket got, and a while longer."""
    async with await WebSocket.open(server.ws_url, server.keys.acme) as socket:
        await socket.send(type="message", content="[[upstream tokens=20 delay=1]]")
        token = await socket.until("token", where=lambda event: event["index"] == after - 1)
        if by_frame:
            await socket.send(type="cancel", runId=token["runId"])
        else:
            await rest.post(f"/api/runs/{token['runId']}/cancel")
        if not any(event["type"] == "done" for event in socket.events):
            await socket.until("done")
        await socket.send(type="cancel")  # stale
        await socket.send(type="ping")
        await socket.until("pong")
    return socket.events
