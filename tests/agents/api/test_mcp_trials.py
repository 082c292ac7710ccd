"""`agents.api.mcp_trials`: a server, tried before an agent uses it."""

import json
from ipaddress import ip_network

import pytest

from accounts.models import Secret
from agents.api import mcp_trials
from agents.auth import keys
from agents.models import McpServer
from core.database import database_step
from engine.errors import ClawError, Unavailable
from tests.agents.api import request
from tests.agents.callers import caller_of
from tests.engine.tools.mcp.scripted import scripted


@pytest.fixture
def manager(acme):
    scopes = ["agents:read", "agents:write"]
    return caller_of(keys.create_key(acme, name="m", scopes=scopes)[0])


@pytest.fixture(autouse=True)
def loopback(settings):
    settings.CLAW_ALLOW_PRIVATE_NETWORKS = [ip_network("127.0.0.0/8")]


def stored(acme, url):
    Secret.objects.update_or_create(organization=acme, name="CRM", defaults={"value": "one"})
    headers = json.dumps({"Authorization": "Bearer ${secrets.CRM}"})
    return McpServer.objects.create(organization=acme, name="crm", url=url, headers=headers).id


async def posted(view, *args, **body):
    return json.loads((await view(request(body), *args)).content)


async def test_it_works(manager, acme):
    async with scripted() as server:
        server.token = "Bearer one"
        id = await database_step(stored, acme, server.url)
        tested = await posted(mcp_trials.test, manager, id)
        assert tested["ok"] and tested["protocolVersion"] == "2025-11-25"
        assert tested["tools"][0]["inputSchema"]["type"] == "object"
        called = await posted(mcp_trials.call, manager, id, tool="echo", args={"text": "a"})
        assert (called["result"], called["isError"]) == ("a", False)
        failed = await posted(mcp_trials.call, manager, id, tool="fail")
        assert (failed["result"], failed["isError"]) == ("It failed.", True)
        huge = await posted(mcp_trials.call, manager, id, tool="huge")
        assert huge["isError"] and "too large" in huge["result"]


async def test_what_is_wrong_is_said(manager, acme):
    async with scripted() as server:
        server.token = "Bearer two"
        id = await database_step(stored, acme, server.url)
        tested = await posted(mcp_trials.test, manager, id)
        assert tested == {
            "ok": False,
            "protocolVersion": None,
            "tools": [],
            "error": "The server “crm” refused our credentials (401).",
        }


async def test_p28_an_address_of_ours_is_not_connected(manager, acme, settings):
    settings.CLAW_ALLOW_PRIVATE_NETWORKS = []
    async with scripted() as server:
        id = await database_step(stored, acme, server.url)
        assert "not allowed" in (await posted(mcp_trials.test, manager, id))["error"]
        assert not server.requests


async def test_a_secret_that_is_missing_is_named(manager, acme):
    id = await database_step(stored, acme, "https://crm.example.com/mcp")
    await database_step(Secret.objects.all().delete)
    assert "needs the secret “CRM”" in (await posted(mcp_trials.test, manager, id))["error"]


async def test_only_some_are_tried_at_once(manager, acme, monkeypatch):
    monkeypatch.setattr(mcp_trials, "MAX_TRIALS", 0)
    id = await database_step(stored, acme, "https://crm.example.com/mcp")
    with pytest.raises(Unavailable):
        await mcp_trials.test(request({}), manager, id)


async def test_charlie_gets_404(acme, globex):
    id = await database_step(stored, acme, "https://crm.example.com/mcp")
    key, _ = await database_step(lambda: keys.create_key(globex, name="s", scopes=["agents:write"]))
    with pytest.raises(ClawError) as refused:
        await mcp_trials.call(request({"tool": "echo"}), caller_of(key), id)
    assert refused.value.code == "not_found"
