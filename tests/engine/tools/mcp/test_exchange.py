"""`engine.tools.mcp.exchange`: no address of our own network is reached (resolver fakes only)."""

import socket
from typing import Any

import pytest

from engine.http.guard import Guard
from engine.tools.mcp.base import Endpoint, ServerFailed
from engine.tools.mcp.server import Server
from tests.engine.tools.mcp.scripted import ScriptedServer, connected


async def refused(at: str) -> str:
    """What is said of a server at this address, without any network of ours allowed."""

    async def find() -> Endpoint:
        return Endpoint(name="crm", at=at)

    client = Server(find, Guard())
    try:
        with pytest.raises(ServerFailed) as failed:
            await client.tools()
    finally:
        await client.aclose()
    return str(failed.value)


async def test_it_works(scripted_server: ScriptedServer) -> None:
    async with connected(scripted_server) as client:
        assert await client.tools()


async def test_p28_an_address_of_ours_is_not_connected(scripted_server: ScriptedServer) -> None:
    port = scripted_server.url.split(":")[2]
    for host in ("127.0.0.1", "localhost", "[::1]", "0x7f.1", "169.254.169.254"):
        said = await refused(f"http://{host}:{port}")
        assert said == "The server “crm” failed: its address is not allowed."
    assert not scripted_server.requests


@pytest.mark.parametrize("address", ["10.0.0.1", "169.254.169.254", "127.0.0.1", "100.64.0.1"])
async def test_p28_a_name_that_leads_into_our_network_is_not_connected(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolve(*_: Any, **__: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert "not allowed" in await refused("https://mcp.example.test/mcp")


async def test_p28_a_redirect_is_not_followed(scripted_server: ScriptedServer) -> None:
    scripted_server.refusal = 307
    async with connected(scripted_server) as client:
        with pytest.raises(ServerFailed, match="the status 307"):
            await client.call("echo", {}, lambda *_: None)
    assert scripted_server.requests["tools/call"] == 1
