"""Our requests beside those of Anthropic's SDK, and the provider that uses it."""

import asyncio
from ipaddress import ip_network
from typing import Any

import anthropic
import pytest

from engine.http.guard import Guard
from engine.providers.anthropic import sdk as anthropic_sdk
from engine.providers.base import Delta, Finished, Provider
from engine.providers.registry import open_provider
from engine.request import ToolSpec
from tests.engine.conftest import KEY, WAYS, opened
from tests.engine.http.servers import Canary, serving
from tests.engine.providers.contract import collect, directed, fail, text_of
from tests.upstream import Upstream, expected_text

SCHEMA: dict[str, Any] = {"type": "object", "properties": {}}
TOOL = ToolSpec(name="weather", description="The weather", input_schema=SCHEMA)
REQUEST = directed("tokens=3", thinking=True, tools=[TOOL])
OURS = {"accept", "accept-encoding", "user-agent"}
"""Headers with values of our own: a stream that is not compressed, and who asks."""
WHOLE = (
    b'data: {"type":"message_delta","delta":{"stop_reason":"end_turn"}}\n\n'
    b'data: {"type":"message_stop"}\n\n'
)


async def ask_by_sdk(base_url: str) -> str:
    """The same as `REQUEST`, in the SDK's words."""
    async with (
        anthropic.AsyncAnthropic(api_key=KEY, base_url=base_url, max_retries=0) as client,
        client.messages.stream(
            model=REQUEST.model,
            max_tokens=REQUEST.max_tokens,
            system=REQUEST.instructions,
            messages=[{"role": "user", "content": REQUEST.turns[0].content}],
            tools=[{"name": TOOL.name, "description": TOOL.description, "input_schema": SCHEMA}],
            thinking={"type": "adaptive", "display": "summarized"},
        ) as stream,
    ):
        return await stream.get_final_text()


def telling(headers: dict[str, Any]) -> dict[str, Any]:
    """Without what concerns one connection, and the SDK's reports about itself."""
    transport = {"host", "connection", "content-length"}
    return {
        name: value
        for name, value in headers.items()
        if name not in transport | OURS and not name.startswith("x-stainless-")
    }


async def test_it_works(claude: Provider, upstream: Upstream) -> None:
    assert text_of(await collect(claude, REQUEST)) == await ask_by_sdk(upstream.url)
    ours, theirs = upstream.requests
    assert ours["body"] == theirs["body"]
    assert telling(ours["headers"]) == telling(theirs["headers"])
    assert ours["headers"].keys() >= OURS


async def test_the_key_is_sent_as_the_sdk_sends_it() -> None:
    """The model server of the tests keeps no secrets, so a bare one records these."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        keys.append([line for line in head.split("\r\n") if KEY.lower() in line])
        writer.write(b"HTTP/1.1 401 No\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")

    keys: list[list[str]] = []
    async with serving(refuse) as server:
        address = f"http://127.0.0.1:{server.port}"
        provider = open_provider("anthropic", api_key=KEY, base_url=address)
        await fail(provider, REQUEST)
        await provider.aclose()
        with pytest.raises(anthropic.AuthenticationError):
            await ask_by_sdk(address)
    assert keys[0] == keys[1] != []


# --- the provider that uses it


def opened_at(server: Canary, guard: Guard | None = None) -> Provider:
    return WAYS["sdk"].open(f"http://127.0.0.1:{server.port}", guard)


@pytest.mark.parametrize("guard", [None, Guard([ip_network("127.0.0.0/8")])])
async def test_of_the_environment_only_headers_count_and_only_for_the_operators_server(
    guard: Guard | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("API_KEY", "AUTH_TOKEN", "PROFILE"):
        monkeypatch.setenv(f"ANTHROPIC_{name}", "another")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:1")
    custom = "Authorization: Bearer another\nauthorization: a\nX-Api-Key: another\nX-Gateway: open"
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", custom)
    async with serving() as server:
        provider = opened_at(server, guard)
        await fail(provider, REQUEST)
        await provider.aclose()
    head = server.requests[0].decode().lower().split("\r\n")
    keys = [line for line in head if line.startswith(("authorization:", "x-api-key:"))]
    assert keys == [f"authorization: bearer {KEY.lower()}"]
    assert ("x-gateway: open" in head) is (guard is None)


async def test_what_an_address_has_beside_host_and_path_is_not_sent(upstream: Upstream) -> None:
    url = upstream.url.replace("//", "//user:secret@")
    provider = open_provider("anthropic", api_key=KEY, base_url=f"{url}/?a=b#c", sdk=True)
    assert text_of(await collect(provider, REQUEST)) == expected_text("tokens=3")
    await provider.aclose()


@pytest.mark.parametrize("rest", [b"", b": more\n\n" * 1000])
async def test_an_answer_that_is_whole_waits_for_a_moment_only(
    rest: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(anthropic_sdk, "END_OF_BODY_WAIT", 0.05)
    left = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n" + WHOLE)
        try:
            while rest:
                writer.write(rest)
                await writer.drain()
            await reader.readuntil(b"never")
        finally:
            left.set()

    async with serving(serve) as server:
        provider = opened_at(server)
        deltas = await asyncio.wait_for(collect(provider, REQUEST, idle_timeout=60), 5)
        assert deltas == [Finished("end_turn", [])]
        await asyncio.wait_for(left.wait(), 5)
        await provider.aclose()


async def test_nonsense_that_repeats_the_key_is_told_without_it(upstream: Upstream) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"wrong key: {KEY}\r\n\r\n".encode())
        await writer.drain()

    async with serving(serve) as server:
        provider = opened_at(server)
        _, error = await fail(provider, REQUEST)
        await provider.aclose()
    assert "[key]" in error.reason and KEY not in error.reason


async def test_a_timeout_of_the_sink_is_the_sinks(upstream: Upstream) -> None:
    def refuse(deltas: list[Delta]) -> None:
        raise TimeoutError("full")

    async with opened("sdk", upstream) as provider:
        with pytest.raises(TimeoutError, match="full"):
            await provider.call(REQUEST, refuse, idle_timeout=5)


async def test_nothing_is_used_after_it_was_closed(upstream: Upstream) -> None:
    async with opened("sdk", upstream) as provider:
        await collect(provider, REQUEST)
    _, error = await fail(provider, REQUEST)
    assert error.code == "upstream_error"
