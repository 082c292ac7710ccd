"""`conversations.transports.ws.session`: what frames do once it is known who sends them."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from agents.models import Agent
from conversations.models import Run
from core.database import database_step
from tests.asgi import Socket, ask
from tests.conversations.parts import ENDLESS, QUICK
from tests.conversations.transports.rights import API, change

pytestmark = pytest.mark.usefixtures("services")


@pytest.fixture
async def socket(agent: Agent, key: Any) -> AsyncIterator[Socket]:
    """A socket of acme's key."""
    async with Socket(f"{API}/ws") as socket:
        socket.say(type="auth", token=key[1])
        await socket.next("auth_ok")
        yield socket


async def test_it_works(socket: Socket) -> None:
    socket.say(type="message", content=QUICK)
    assert (await socket.next("done"))["reason"] == "complete"


@pytest.mark.parametrize(
    ("frame", "field"),
    [
        ({"type": "frobnicate"}, "type"),
        ({"type": "message"}, "content"),
        ({"type": "message", "content": " "}, "content"),
        ({"type": "message", "content": "x", "ifBusy": "dance"}, "ifBusy"),
        ({"type": "resume"}, "runId"),
        ({"type": "resume", "runId": "run_x", "lastSeq": -1}, "lastSeq"),
    ],
)
async def test_a_wrong_frame_is_answered_and_the_socket_stays(socket, frame, field) -> None:
    socket.say(**frame, id=3)
    error = await socket.next("error")
    assert (error["code"], error["details"]["field"], error["replyTo"]) == (
        "invalid_message",
        field,
        3,
    )
    socket.say(type="ping", id=7)
    assert (await socket.next("pong"))["replyTo"] == 7


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ({"type": "resume", "runId": "run_missing", "lastSeq": 0}, "run_not_found"),
        ({"type": "cancel", "runId": "run_missing"}, "run_not_found"),
        ({"type": "resume", "conversationId": "missing"}, "conversation_not_found"),
        ({"type": "subscribe", "conversationId": "missing"}, "conversation_not_found"),
    ],
)
async def test_what_is_not_there_is_said_so(socket, frame, code) -> None:
    socket.say(**frame)
    assert (await socket.next("error"))["code"] == code


async def test_a_position_beyond_the_end_is_wrong(socket) -> None:
    socket.say(type="message", content=QUICK)
    done = await socket.next("done")
    socket.say(type="resume", runId=done["runId"], lastSeq=done["seq"] + 1)
    error = await socket.next("error")
    assert (error["code"], error["details"]["field"]) == ("invalid_message", "lastSeq")


async def test_a_second_auth_renews_and_never_changes_who_it_is(socket, key, foreign_key) -> None:
    socket.say(type="auth", token=key[1], id="again")
    await socket.until(lambda: [f for f in socket.frames if f.get("replyTo") == "again"])
    socket.say(type="auth", token=foreign_key[1], agentId="spy")
    assert (await socket.next("error"))["code"] in ("forbidden", "agent_not_found")
    socket.say(type="ping")
    await socket.next("pong")


async def test_a_stop_is_seen_while_an_answer_streams(socket) -> None:
    socket.say(type="message", content=ENDLESS)
    await socket.next("token")
    socket.say(type="cancel")
    assert (await socket.next("done"))["reason"] == "cancelled"


@pytest.mark.parametrize(("mode", "status"), [("cancel", "cancelled"), ("continue", "running")])
async def test_who_leaves_cancels_if_it_was_asked_to(agent, key, services, mode, status) -> None:
    await change(agent, on_disconnect=mode)
    async with Socket(f"{API}/ws") as socket:
        socket.say(type="auth", token=key[1])
        socket.say(type="message", content=ENDLESS)
        run = (await socket.next("token"))["runId"]
    if mode == "cancel":
        async for _ in services.log.follow(run):
            pass
    assert (await database_step(Run.objects.get, pk=run)).status == status


async def test_messages_within_a_minute_are_limited_and_refused_ones_do_not_count(
    socket, settings
) -> None:
    settings.CLAW_MAX_MESSAGES_PER_MINUTE = 1
    socket.say(type="message", content=" ")
    socket.say(type="message", content=QUICK)
    await socket.next("done")
    socket.say(type="message", content=QUICK, id="second")
    refused = await socket.until(lambda: [f for f in socket.frames if f.get("replyTo") == "second"])
    assert refused[0]["code"] == "rate_limited" and refused[0]["retryAfter"] > 0


async def test_a_ticket_opens_one_stream_and_nothing_else(agent, key) -> None:
    _, made = await ask("POST", f"{API}/stream-tickets", {"message": QUICK}, token=key[1])
    async with Socket(f"{API}/ws?ticket={made['ticket']}") as socket:
        assert await socket.closed() == 1000
        assert [frame["type"] for frame in socket.frames][-1] == "done"
    async with Socket(f"{API}/ws?ticket={made['ticket']}") as again:  # as after a lost connection
        await again.closed()
    assert await database_step(Run.objects.count) == 1


async def test_a_socket_of_a_ticket_asks_for_nothing_more(agent, key) -> None:
    _, made = await ask("POST", f"{API}/stream-tickets", {"message": ENDLESS}, token=key[1])
    async with Socket(f"{API}/ws?ticket={made['ticket']}") as socket:
        await socket.next("token")
        socket.say(type="message", content=QUICK)
        assert (await socket.next("error"))["code"] == "forbidden"
        socket.say(type="ping")
        await socket.next("pong")
