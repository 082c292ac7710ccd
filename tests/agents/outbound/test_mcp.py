"""`agents.outbound.mcp`: the endpoint of a server, with secrets in place."""

import json

import pytest

from accounts.models import Secret
from agents.models import McpServer
from agents.outbound.mcp import mcp_endpoint
from engine.tools.mcp.base import Command, ServerFailed


@pytest.fixture
def server(acme):
    Secret.objects.create(organization=acme, name="CRM", value="one/two\n")
    headers = json.dumps({"Authorization": "Bearer ${secrets.CRM}"})
    url = "https://crm.example.com/${secrets.CRM}"
    fields = {"name": "crm", "url": url, "headers": headers, "timeout_ms": 1500}
    return McpServer.objects.create(organization=acme, **fields)


def test_it_works(acme, server):
    found = mcp_endpoint(acme.id, server.id)
    assert found.at == "https://crm.example.com/one%2Ftwo%0A"
    assert found.headers == (("Authorization", "Bearer one/two"),)
    assert (found.name, found.timeout) == ("crm", 1.5)


def test_a_secret_of_another_organisation_is_none(acme, globex, server):
    Secret.objects.update(organization=globex)
    with pytest.raises(ServerFailed, match="needs the secret “CRM”"):
        mcp_endpoint(acme.id, server.id)


def test_a_secret_that_no_header_takes_is_not_sent(acme, server):
    secret = Secret.objects.get()
    secret.value = "one\r\nX-Other: two"
    secret.save()
    with pytest.raises(ServerFailed, match="cannot be sent"):
        mcp_endpoint(acme.id, server.id)


def test_a_server_of_another_organisation_is_none(globex, server):
    with pytest.raises(ServerFailed, match="not there"):
        mcp_endpoint(globex.id, server.id)


def test_a_program_is_looked_up_in_the_operators_list(acme, server, settings, tmp_path):
    server.url, server.stdio, server.headers = "", "clock", "{}"
    server.save()
    with pytest.raises(ServerFailed, match="no program"):
        mcp_endpoint(acme.id, server.id)
    settings.CLAW_MCP_STDIO = str(tmp_path / "mcp.json")
    entry = {"command": "clock", "args": ["--utc"], "env": {"A": "b"}, "cwd": "/"}
    (tmp_path / "mcp.json").write_text(json.dumps({"clock": entry}))
    expected = Command(command="clock", args=("--utc",), env=(("A", "b"),), cwd="/")
    assert mcp_endpoint(acme.id, server.id).at == expected
