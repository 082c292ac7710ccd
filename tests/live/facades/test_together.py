"""One run, watched at once through every protocol that can follow it."""

import asyncio
import json
from hashlib import sha256
from typing import Any

import httpx
import pytest

from tests.live.clients import TIMEOUT, Rest
from tests.live.raw import call_of, new_tag
from tests.live.server import Server
from tests.upstream.process import UpstreamProcess

TOKENS = "Hello [[upstream tokens=60 delay=10 tag=%s]]"
TEXT = "".join(f"w{i} " for i in range(60))
PIECES = {
    "text-delta": "delta",
    "TEXT_MESSAGE_CONTENT": "delta",
    "response.output_text.delta": "delta",
    "token": "content",
}
"""The field with a piece of the answer, by the type of its event."""


async def read(client: httpx.AsyncClient, method: str, path: str, body: Any = None) -> list[Any]:
    """All events of a stream."""
    async with client.stream(method, path, json=body) as answer:
        assert answer.status_code == 200, await answer.aread()
        lines = [line async for line in answer.aiter_lines() if line.startswith("data: {")]
    return [json.loads(line.removeprefix("data: ")) for line in lines]


def text_of(events: list[Any]) -> str:
    return "".join(event[PIECES[event["type"]]] for event in events if event["type"] in PIECES)


@pytest.mark.parametrize("later", [False, True], ids=["while it comes", "when it is there"])
async def test_every_protocol_tells_the_same_text(
    server: Server, rest: Rest, upstream: UpstreamProcess, later: bool
) -> None:
    thread, name = new_tag(), new_tag()
    messages = [{"id": "1", "role": "user", "content": TOKENS % name}]
    asked = {"threadId": thread, "runId": name, "messages": messages}
    headers = {"Authorization": f"Bearer {server.keys.acme}"}
    async with (
        httpx.AsyncClient(
            base_url=server.url, headers=headers, timeout=TIMEOUT, trust_env=False
        ) as client,
        asyncio.TaskGroup() as group,
    ):
        first = group.create_task(read(client, "POST", "/api/ag-ui", asked))
        await call_of(upstream, name)
        run = (await rest.get(f"/api/runs/{name}")).json()["id"]
        if later:
            await first
        paths = [
            ("GET", f"/api/runs/{run}/events"),
            ("GET", f"/v1/responses/{run.replace('run_', 'resp_')}?stream=true"),
        ]
        if not later:
            paths.append(("GET", f"/api/ai-sdk/chat/{thread}/stream"))
        watchers = [group.create_task(read(client, method, path)) for method, path in paths]
        again = group.create_task(read(client, "POST", "/api/ag-ui", asked))
    assert again.result() == first.result()
    assert [text_of(each.result()) for each in (first, *watchers)] == [TEXT] * (1 + len(paths))
    done = watchers[0].result()[-1]
    assert done["digest"] == f"sha256:{sha256(TEXT.encode()).hexdigest()}"
