"""`agents.api.mcp_servers`: who may name which server, and what is never read back."""

import json

import pytest
from django.core.exceptions import ValidationError

from agents.api import mcp_servers
from agents.auth import keys
from agents.models import McpServer
from agents.outbound.headers import headers_of
from agents.principal import Kind
from engine.errors import ClawError
from tests.agents.api import request
from tests.agents.callers import caller_of, having

SCOPES = ["agents:read", "agents:write"]
CRM = {"name": "crm", "url": "https://crm.example.com/mcp"}


@pytest.fixture
def manager(acme):
    return caller_of(keys.create_key(acme, name="m", scopes=SCOPES)[0])


@pytest.fixture
def admin(acme):
    return caller_of(keys.create_key(acme, name="a", scopes=[*SCOPES, "admin"])[0])


def made(caller, **fields):
    return json.loads(mcp_servers.create(request(CRM | fields), caller).content)


def code(view, *args):
    with pytest.raises(ClawError) as refused:
        view(*args)
    return refused.value.code


def test_it_works(manager, acme):
    server = made(manager, headers={"X-Team": "blue"}, timeoutMs=5000)
    assert server["headers"] == {"X-Team": None} and server["timeoutMs"] == 5000
    assert server["id"].startswith("mcp_") and "stdio" not in server
    assert headers_of(McpServer.objects.get(organization=acme)) == {"X-Team": "blue"}
    assert json.loads(mcp_servers.show(request(), manager, server["id"]).content) == server
    listed = json.loads(mcp_servers.index(request(), manager).content)
    assert listed == {"mcpServers": [server], "nextCursor": None}

    change = {"headers": {"x-team": None, "X-Tier": "gold"}, "name": "sales"}
    changed = json.loads(mcp_servers.change(request(change), manager, server["id"]).content)
    assert (changed["name"], changed["headers"]) == ("sales", {"X-Tier": None})
    assert mcp_servers.remove(request(), manager, server["id"]).status_code == 204
    assert code(mcp_servers.show, request(), manager, server["id"]) == "not_found"


def test_charlie_gets_404(manager, globex):
    server = made(manager)
    stranger = caller_of(keys.create_key(globex, name="s", scopes=[*SCOPES, "admin"])[0])
    for view in (mcp_servers.show, mcp_servers.change, mcp_servers.remove):
        assert code(view, request({}), stranger, server["id"]) == "not_found"


@pytest.mark.parametrize(
    "fields",
    [
        {"url": ""},
        {"stdio": "clock"},
        {"url": "", "stdio": "clock"},
        {"url": "file:///etc/passwd"},
        {"url": "https://user@crm.example.com"},
        {"url": "https://crm.example.com/#a"},
        {"timeoutMs": 0},
        {"timeoutMs": 10**9},
    ],
)
def test_what_is_no_server_is_refused(manager, fields):
    with pytest.raises(ValidationError):
        made(manager, **fields)


@pytest.mark.parametrize(
    "headers", [{"a b": "c"}, {"Host": "x"}, {"X": "a\r\nY: b"}, {"mcp-session-id": "x"}]
)
def test_what_is_no_header_is_refused(manager, headers):
    assert code(mcp_servers.create, request(CRM | {"headers": headers}), manager) == (
        "invalid_message"
    )


def test_p31_a_program_is_one_of_the_operators_list(manager, settings, tmp_path):
    settings.CLAW_MCP_STDIO = str(tmp_path / "mcp.json")
    (tmp_path / "mcp.json").write_text('{"clock": {"command": "mcp-server-time"}}')
    assert made(manager, url="", stdio="clock")["stdio"] == "clock"
    with pytest.raises(ValidationError):
        made(manager, url="", stdio="/bin/sh", name="other")


def test_where_a_secret_is_sent_is_for_an_administrator_to_say(manager, admin):
    secret = {"headers": {"Authorization": "Bearer ${secrets.CRM}"}}
    assert code(mcp_servers.create, request(CRM | secret), manager) == "forbidden"
    assert (
        code(
            mcp_servers.create,
            request({"name": "a", "url": "https://a.test/${secrets.A}"}),
            manager,
        )
        == "forbidden"
    )
    server = made(admin, **secret)
    moved = {"url": "https://elsewhere.example.com/mcp"}
    assert code(mcp_servers.change, request(moved), manager, server["id"]) == "forbidden"
    renamed = mcp_servers.change(request({"name": "sales"}), manager, server["id"])
    assert renamed.status_code == 200
    without = moved | {"headers": {"Authorization": None}}
    assert mcp_servers.change(request(without), manager, server["id"]).status_code == 200


def test_headers_that_are_stored_do_not_follow_another_address(manager):
    server = made(manager, headers={"X-Key": "literal"})
    moved = {"url": "https://elsewhere.example.com/mcp"}
    assert code(mcp_servers.change, request(moved), manager, server["id"]) == "forbidden"


@pytest.mark.parametrize("scopes", [["chat"], ["agents:read"], SCOPES])
def test_it_needs_the_scope_for_every_agent(acme, agent, scopes):
    opened = [agent] if scopes == SCOPES else []
    caller = caller_of(keys.create_key(acme, name="k", scopes=scopes, agents=opened)[0])
    assert code(mcp_servers.create, request(CRM), caller) == "forbidden"


def test_a_member_needs_no_key(manager):
    member = having(manager, kind=Kind.MEMBER, id="a member")
    assert mcp_servers.create(request(CRM), member).status_code == 201


def test_a_server_that_agents_use_goes_by_force_only(manager, agent):
    server = made(manager)
    agent.tools = [{"mcpServer": server["id"], "name": "*"}]
    agent.full_clean()
    agent.save()
    assert code(mcp_servers.remove, request(), manager, server["id"]) == "in_use"
    assert mcp_servers.remove(request(query="force=1"), manager, server["id"]).status_code == 204


def test_an_agent_has_tools_of_its_own_organisation_only(manager, agent, foreign_agent):
    server = made(manager)
    for tools in (
        [{"mcpServer": server["id"], "name": "*"}],
        [{"mcpServer": "mcp_x", "name": "a"}],
    ):
        foreign_agent.tools = tools
        with pytest.raises(ValidationError, match="no MCP server"):
            foreign_agent.full_clean()
    agent.tools = [{"mcpServer": server["id"], "name": name} for name in ("a b", "a/b")]
    with pytest.raises(ValidationError, match="rename it"):
        agent.full_clean()
