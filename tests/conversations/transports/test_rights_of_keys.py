"""Rights are looked at when they are used: what changes of a key changes what it has open."""

from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import pytest
from django.utils import timezone

from agents.auth import keys
from agents.models import Agent, ApiKey
from conversations.models import Run
from core.database import database_step
from tests.asgi import Response, Socket, ask
from tests.conversations.parts import ENDLESS, QUICK
from tests.conversations.transports.rights import API, SHOP, change, streaming

pytestmark = pytest.mark.usefixtures("services")

# --- what is changed: for each of them how, and the code with which a new request is told


async def revoked(agent: Agent, key: ApiKey) -> None:
    await database_step(keys.revoke, key)


async def expired(agent: Agent, key: ApiKey) -> None:
    await change(key, expires_at=timezone.now())


async def deleted(agent: Agent, key: ApiKey) -> None:
    await database_step(key.delete)


async def restricted(agent: Agent, key: ApiKey) -> None:
    def restrict() -> None:
        other = Agent.objects.create(organization=agent.organization, slug="other", name="x")
        key.agents.set([other])

    await database_step(restrict)


async def restricted_unannounced(agent: Agent, key: ApiKey) -> None:
    """As a command does in a process of its own: no signal reaches this one."""

    def restrict() -> None:
        links = ApiKey.agents.through.objects
        other = Agent.objects.create(organization=agent.organization, slug="other", name="x")
        links.filter(apikey=key)._raw_delete("default")
        links.bulk_create([ApiKey.agents.through(apikey=key, agent=other)])

    await database_step(restrict)


async def of_other_pages(agent: Agent, key: ApiKey) -> None:
    await change(key, allowed_origins=["https://elsewhere.example"])


async def without_agent(agent: Agent, key: ApiKey) -> None:
    await database_step(agent.delete)


async def without_organization(agent: Agent, key: ApiKey) -> None:
    await database_step(agent.organization.delete)


KEY_CHANGES = [
    (revoked, "key_revoked"),
    (expired, "token_expired"),
    (deleted, "invalid_token"),
    (restricted, "agent_not_found"),
    (restricted_unannounced, "agent_not_found"),
    (of_other_pages, "forbidden"),
    (without_agent, "agent_not_found"),
    (without_organization, "invalid_token"),
]
Change = Callable[[Agent, ApiKey], Any]


# --- keys


@pytest.mark.parametrize(("how", "code"), KEY_CHANGES)
async def test_a_key_s_socket_and_stream_are_cut(agent, key, how: Change, code: str) -> None:
    row, token = key
    async with Socket(f"{API}/ws", origin=SHOP) as socket:
        socket.say(type="auth", token=token)
        await socket.next("auth_ok")
        async with streaming(token, origin=SHOP) as stream:
            await stream.saw("token")
            await how(agent, row)
            assert await socket.closed() in (4001, 4003, 4004)
            await stream.ended()
            assert '"type":"done"' not in stream.text or code == "agent_not_found"
    status, told = await ask("GET", f"{API}/conversations", token=token, origin=SHOP)
    assert (status >= 400, told["error"]["code"]) == (True, code)


@pytest.mark.parametrize(("how", "code"), KEY_CHANGES[:3])
async def test_the_runs_of_a_key_end_with_it_also_those_that_wait(
    services, agent, key, how: Change, code: str
) -> None:
    row, token = key
    async with Socket(f"{API}/ws") as socket:
        socket.say(type="auth", token=token)
        for _ in range(2):
            socket.say(type="message", content=ENDLESS, conversationId="abc")
        await socket.next("token")
        await socket.until(lambda: sum(f["type"] == "run_started" for f in socket.frames) == 2)
        await how(agent, row)
        await socket.closed()

    for frame in [frame for frame in socket.frames if frame["type"] == "run_started"]:
        async with aclosing(services.log.follow(frame["runId"])) as batches:
            async for _ in batches:
                pass
    errors = await database_step(lambda: [run.error["code"] for run in Run.objects.all()])
    assert errors == ["key_revoked"] * 2


@pytest.mark.parametrize(("how", "code"), KEY_CHANGES)
async def test_a_key_s_ticket_opens_nothing_any_more(agent, key, how: Change, code: str) -> None:
    row, token = key
    body = {"message": QUICK}
    _, made = await ask("POST", f"{API}/stream-tickets", body, token=token, origin=SHOP)
    await how(agent, row)
    path = f"{API}/chat/stream?ticket={made['ticket']}"
    status, told = await ask("GET", path, origin=SHOP)
    # Of a deleted key or agent there is no ticket either.
    assert status >= 400 and told["error"]["code"] in (code, "invalid_token")
    assert not await database_step(Run.objects.exists)


async def test_a_stream_goes_on_while_its_agent_stays_open(agent, acme) -> None:
    """Its key opened several agents, and is given only the one that the stream asks."""
    row, token = await database_step(lambda: keys.create_key(acme, name="wide"))
    await database_step(lambda: Agent.objects.create(organization=acme, slug="other", name="x"))
    body = {"message": "/delay 5\n/long 100", "agentId": agent.id}
    async with Response("POST", "/api/chat/stream", body, token) as one:
        await one.saw("token")
        run = one.text.split("id: ")[1].split(":")[0]
        async with Response("GET", f"/api/runs/{run}/events", token=token) as stream:
            await stream.saw("token")

            def restrict() -> None:
                row.agents.set([agent])
                row.every_agent = False
                row.save()

            await database_step(restrict)
            await stream.saw('"type":"done"')


async def test_less_scopes_hold_for_the_next_frame_and_for_what_is_open(agent, key) -> None:
    row, token = key
    async with Socket(f"{API}/ws") as idle, Socket(f"{API}/ws") as busy:
        for socket in (idle, busy):
            socket.say(type="auth", token=token)
            await socket.next("auth_ok")
        busy.say(type="message", content=ENDLESS)
        await busy.next("token")
        async with streaming(token) as stream:
            await stream.saw("token")
            await change(row, scopes=["conversations:read"])
            assert await busy.closed() == 1012  # come back: a new `resume` is told
            await stream.ended()
        idle.say(type="message", content=QUICK)
        assert (await idle.next("error"))["code"] == "forbidden"
        idle.say(type="ping")
        await idle.next("pong")


async def test_more_scopes_hold_for_the_next_frame_too(agent) -> None:
    row, token = await database_step(
        lambda: keys.create_key(agent.organization, name="k", agents=[agent], scopes=["usage:read"])
    )
    async with Socket(f"{API}/ws") as socket:
        socket.say(type="auth", token=token)
        socket.say(type="message", content=QUICK)
        assert (await socket.next("error"))["code"] == "forbidden"
        await change(row, scopes=["chat"])
        socket.say(type="message", content=QUICK)
        assert (await socket.next("done"))["reason"] == "complete"
