"""A stop reaches the model within half a second, through every protocol that stops by a request.

Those whose client stops by leaving have the same bound beside their other tests."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest
from clawsite_client import AsyncClient

from tests.live.clients import TIMEOUT, Rest
from tests.live.raw import aborted, call_of, new_tag
from tests.live.server import Server
from tests.upstream.process import UpstreamProcess

pytestmark = pytest.mark.scaled

SECONDS = 0.5
LONG = "go [[upstream tokens=5000 delay=5 tag=%s]]"


async def by_ag_ui(rest: Rest, tag: str) -> Awaitable[Any]:
    messages = [{"id": "1", "role": "user", "content": LONG % tag}]
    body = {"threadId": tag, "runId": f"run-{tag}", "messages": messages}
    asked = asyncio.create_task(rest.post("/api/ag-ui", body))
    return _then(asked, lambda: rest.post(f"/api/runs/run-{tag}/cancel"))


async def by_ai_sdk(rest: Rest, tag: str) -> Awaitable[Any]:
    message = {"role": "user", "parts": [{"type": "text", "text": LONG % tag}]}
    body = {"id": tag, "model": "acme-agent", "message": message}
    asked = asyncio.create_task(rest.post("/api/ai-sdk/chat", body))
    return _then(asked, lambda: rest.post(f"/api/ai-sdk/chat/{tag}/stop"))


async def by_responses(rest: Rest, tag: str) -> Awaitable[Any]:
    body = {"model": "acme-agent", "input": LONG % tag, "background": True}
    name = (await rest.post("/v1/responses", body)).json()["id"]
    return rest.post(f"/v1/responses/{name}/cancel")


async def _then(asked: "asyncio.Task[Any]", stop: Callable[[], Awaitable[Any]]) -> None:
    """Stop it, and read what was asked for to its end."""
    await stop()
    await asked


@pytest.mark.parametrize("ask", [by_ag_ui, by_ai_sdk, by_responses])
async def test_it_works(
    rest: Rest,
    upstream: UpstreamProcess,
    ask: Callable[[Rest, str], Awaitable[Awaitable[Any]]],
) -> None:
    tag = new_tag()
    stop = await ask(rest, tag)
    await call_of(upstream, tag)
    before = time.time()
    await stop
    assert await aborted(upstream, tag) - before < SECONDS


@pytest.mark.parametrize("transport", ["sse", "websocket"])
async def test_the_python_client_stops_it_too(
    server: Server, upstream: UpstreamProcess, transport: Any
) -> None:
    tag = new_tag()
    async with (
        httpx2.AsyncClient(trust_env=False, timeout=TIMEOUT) as http,
        AsyncClient(server.url, server.keys.acme, http=http, transport=transport) as client,
    ):
        async for event in client.chat.stream(LONG % tag):
            if event["type"] == "token" and event["index"] == 3:
                before = time.time()
                await client.cancel(event["runId"])
    assert event["type"] == "done"
    assert await aborted(upstream, tag) - before < SECONDS
