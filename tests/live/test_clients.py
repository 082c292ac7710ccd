"""Clients that people use, against the server: `websockets`, `httpx-sse` and curl."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import httpx_sse
import pytest
import websockets

from tests.live.clients import Rest
from tests.live.proxy import breaking_network
from tests.live.server import Server
from tests.upstream.process import UpstreamProcess

ASK = "Hello [[upstream tokens=40 delay=5]]"
TEXT = "".join(f"w{i} " for i in range(40))
STALLING = "Hello [[upstream tokens=40 mode=stall at=5]]"
FIVE = "w0 w1 w2 w3 w4 "
SECONDS = 20.0


def text_of(events: list[dict[str, Any]]) -> str:
    return "".join(event["content"] for event in events if event["type"] == "token")


def headers(server: Server) -> dict[str, str]:
    return {"Authorization": f"Bearer {server.keys.acme}"}


async def test_it_works_with_websockets(server: Server) -> None:
    """The first message authenticates; a second question goes on with the conversation."""
    events = []
    async with websockets.connect(server.ws_url) as socket:
        await socket.send(json.dumps({"type": "auth", "token": server.keys.acme}))
        await socket.send(json.dumps({"type": "message", "content": ASK}))
        async for frame in socket:
            events.append(json.loads(frame))
            dones = [event for event in events if event["type"] == "done"]
            if events[-1]["type"] == "done" and len(dones) == 1:
                await socket.send(json.dumps({"type": "message", "content": ASK}))
            elif len(dones) == 2:
                break
    assert events[0]["type"] == "auth_ok"
    assert text_of(events) == TEXT * 2
    assert dones[0]["conversationId"] == dones[1]["conversationId"]
    assert dones[0]["runId"] != dones[1]["runId"]


async def test_a_key_in_the_header_needs_no_first_message(server: Server) -> None:
    async with websockets.connect(server.ws_url, additional_headers=headers(server)) as socket:
        assert json.loads(await socket.recv())["type"] == "auth_ok"
        await socket.send(json.dumps({"type": "message", "content": STALLING}))
        events = []
        async for frame in socket:
            events.append(json.loads(frame))
            if text_of(events) == FIVE and events[-1]["type"] == "token":
                await socket.send("STOP")
            if events[-1]["type"] == "done":
                break
    assert events[-2]["type"] == "cancelled"
    assert events[-2]["content"] == FIVE


async def read_stream(
    client: httpx.AsyncClient, method: str, url: str, **request: Any
) -> list[dict[str, Any]]:
    """An EventSource as browsers have it: the same request again, with the last id it saw, until
    the answer says that nothing will follow (204)."""
    events: list[dict[str, Any]] = []
    last_id = ""
    while True:
        position = {"Last-Event-ID": last_id} if last_id else {}
        try:
            async with httpx_sse.aconnect_sse(
                client, method, url, headers=position, **request
            ) as source:
                if source.response.status_code == 204:
                    return events
                async for event in source.aiter_sse():
                    last_id = event.id
                    if event.data:  # httpx-sse also hands over blocks that only have an id
                        events.append(json.loads(event.data))
        except httpx.TransportError:
            pass  # the connection broke


@asynccontextmanager
async def http(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        headers=headers(server), trust_env=False, timeout=SECONDS
    ) as client:
        yield client


async def test_httpx_sse_reads_an_answer_to_its_end(server: Server) -> None:
    async with http(server) as client:
        events = await read_stream(
            client, "POST", f"{server.url}/api/chat/stream", json={"message": ASK}
        )
    assert text_of(events) == TEXT
    assert [event["type"] for event in events[-2:]] == ["message_complete", "done"]


@pytest.mark.parametrize(("method", "field"), [("POST", "json"), ("GET", "params")])
async def test_sending_the_same_request_again_resumes_and_asks_the_model_once(
    method: str, field: str, server: Server, upstream: UpstreamProcess
) -> None:
    """P2: a POST and an EventSource's GET, both reset three times, once before any event."""
    message = f"Hello [[upstream tokens=40 delay=5 tag=again-{method}]]"
    async with (
        http(server) as client,
        breaking_network(server.port, [380, 1500, 900]) as port,
    ):
        url = f"http://127.0.0.1:{port}/api/chat/stream"
        events = await read_stream(client, method, url, **{field: {"message": message}})
    assert text_of(events) == TEXT
    assert [event["seq"] for event in events] == sorted({event["seq"] for event in events})
    assert upstream.stats(f"again-{method}")["requests"] == 1


async def test_curl_shows_tokens_before_the_answer_is_complete(server: Server) -> None:
    """The model is silent after five tokens: they are seen, then the cancel address ends it."""
    url = f"{server.url}/a/acme-agent/api/chat/stream"
    process = await asyncio.create_subprocess_exec(
        *("curl", "-sN", "-H", f"Authorization: Bearer {server.keys.acme}"),
        *("-G", "--data-urlencode", f"message={STALLING}", url),
        env={"PATH": os.environ["PATH"]},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    events: list[dict[str, Any]] = []
    async with Rest(server.url, server.keys.acme) as rest, asyncio.timeout(SECONDS):
        async for line in process.stdout:
            if not line.startswith(b"data: "):
                continue
            events.append(json.loads(line[6:]))
            if text_of(events) == FIVE and events[-1]["type"] == "token":
                stopped = await rest.post(f"/api/runs/{events[0]['runId']}/cancel")
                assert stopped.status_code == 202
        assert await process.wait() == 0
    assert [event["type"] for event in events[-2:]] == ["cancelled", "done"]
    assert text_of(events) == events[-2]["content"] == FIVE


async def test_rest_waits_for_the_whole_answer(server: Server) -> None:
    async with Rest(f"{server.url}/a/acme-agent", server.keys.acme) as rest:
        answer = await rest.post("/api/chat", {"message": ASK, "conversationId": "conv_abc123"})
    body = answer.json()
    assert answer.status_code == 200
    assert (body["content"], body["conversationId"]) == (TEXT, "conv_abc123")
    assert body["usage"]["totalTokens"] > 0
