"""Our requests beside those of Anthropic's SDK."""

import asyncio
from typing import Any

import anthropic
import pytest

from engine.providers import open_provider
from engine.providers.base import Provider
from engine.request import ToolSpec
from tests.engine.providers.conftest import KEY
from tests.engine.providers.contract import collect, directed, fail, text_of
from tests.engine.providers.servers import serving
from tests.upstream import Upstream

SCHEMA: dict[str, Any] = {"type": "object"}
TOOL = ToolSpec(name="weather", description="The weather", input_schema=SCHEMA)
REQUEST = directed("tokens=3", thinking=True, tools=[TOOL])
OURS = {"accept", "accept-encoding", "user-agent"}
"""Headers with values of our own: a stream that is not compressed, and who asks."""


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
