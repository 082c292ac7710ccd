"""Rights are looked at when they are used, in the agent as it is now, and at little cost."""

from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Organization
from agents.models import Agent, ApiKey
from conversations.models import Run
from core.database import database_step
from tests.asgi import Socket
from tests.conversations.parts import QUICK
from tests.conversations.transports.rights import API, SHOP, change, session_of

pytestmark = pytest.mark.usefixtures("services")

# --- the agent


async def test_a_changed_agent_answers_as_it_is_now(agent, key) -> None:
    """Over a socket that was opened before."""
    async with Socket(f"{API}/ws") as socket:
        socket.say(type="auth", token=key[1])
        await socket.next("auth_ok")
        await change(agent, instructions="Speak Latin.", max_tokens=77)
        socket.say(type="message", content=QUICK)
        run = await socket.next("run_started")
        await socket.next("done")
    config = (await database_step(Run.objects.get, pk=run["runId"])).config
    assert (config["instructions"], config["max_tokens"]) == ("Speak Latin.", 77)


async def test_who_pays_is_looked_up_for_every_message(agent, key, settings) -> None:
    settings.ANTHROPIC_API_KEY = "sk-ant-test"
    await change(agent, provider="anthropic")
    await change(agent.organization, platform_credentials=True)
    async with Socket(f"{API}/ws") as socket:
        socket.say(type="auth", token=key[1])
        await socket.next("auth_ok")
        await change(agent.organization, platform_credentials=False)
        socket.say(type="message", content=QUICK)
        assert (await socket.next("error"))["message"] == "This agent has no model credentials."
    assert not await database_step(Run.objects.exists)


# --- without being told, and without a cost


async def test_the_sweep_finds_what_nobody_has_announced(agent, key) -> None:
    """Another process has no way to tell this one."""
    token = await session_of(agent)
    async with (
        Socket(f"{API}/ws?token={token}", origin=SHOP) as of_user,
        Socket(f"{API}/ws") as of_key,
    ):
        of_key.say(type="auth", token=key[1])
        await of_user.next("auth_ok")
        await of_key.next("auth_ok")
        await database_step(Agent.objects.update, allowed_origins=[])
        await database_step(ApiKey.objects.update, revoked_at=timezone.now())
        assert await of_user.closed() == 4004
        assert await of_key.closed() == 4001


async def test_nothing_is_asked_of_the_database_while_nothing_changes(services, agent, key) -> None:
    """But for what a sweep asks, however many are connected and whatever they say."""
    token = await session_of(agent)
    asked: list[str] = []

    def count(execute: Any, sql: str, *rest: Any) -> Any:
        asked.append(sql)
        return execute(sql, *rest)

    async with Socket(f"{API}/ws") as one, Socket(f"{API}/ws?token={token}", origin=SHOP) as other:
        one.say(type="auth", token=key[1])
        await one.next("auth_ok")
        await other.next("auth_ok")
        callers = [caller for _, caller in services.connections.callers()]
        assert len(callers) == 2
        for caller in callers:
            await caller.again()
        await database_step(lambda: connection.execute_wrappers.append(count))
        for caller in callers * 50:
            await caller.again()
        await database_step(connection.execute_wrappers.clear)
    assert len(asked) < 10, asked


async def test_a_change_elsewhere_leaves_others_alone(agent, key, foreign_agent, globex) -> None:
    async with Socket(f"{API}/ws") as socket:
        socket.say(type="auth", token=key[1])
        await socket.next("auth_ok")
        await change(foreign_agent, name="Other")
        await change(key[0], last_used_at=timezone.now())
        await database_step(Organization.objects.filter(pk=globex.pk).delete)
        socket.say(type="message", content=QUICK)
        await socket.next("done")
