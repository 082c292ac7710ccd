"""Clients in JavaScript (tests/live/node), each a program of its own, as a user would write it."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.live.clients import Rest, Sse
from tests.live.programs import run
from tests.live.proxy import breaking_network
from tests.live.server import Server

pytestmark = pytest.mark.node

SETTINGS = {"CLAW_PING_INTERVAL": "0.2"}
PROGRAMS = Path(__file__).parent / "node"
TOKENS = "[[upstream tokens=40 delay=5]]"
TEXT = "".join(f"w{i} " for i in range(40))
FIVE = "w0 w1 w2 w3 w4 "


async def client(name: str, server: Server, port: int | None = None, **variables: str) -> Any:
    """Run a client against the server; its report."""
    port = port or server.port
    addresses = {
        "URL": f"http://127.0.0.1:{port}",
        "WS_URL": f"ws://127.0.0.1:{port}/a/acme-agent/api/ws",
        "API_KEY": server.keys.acme,
        "MESSAGE": f"Hello {TOKENS}",
    }
    return json.loads(await run("js", PROGRAMS / f"{name}.mjs", **{**addresses, **variables}))


async def end_of(server: Server, run_id: str) -> list[dict[str, Any]]:
    """All events of a run, once it has ended."""
    url = f"{server.url}/api/runs/{run_id}/events"
    async with await Sse.open(url, server.keys.acme, method="GET") as stream:
        return await stream.read()


async def test_it_works(server: Server) -> None:
    """A chat over WebSocket: every token, the usage, the conversation as named; P19: pings."""
    report = await client("chat", server, CONVERSATION="conv_abc123")
    complete, usage = report["complete"], report["complete"]["usage"]
    assert report["text"] == complete["content"] == TEXT
    assert report["auth"]["agentName"] == "acme-agent"
    assert complete["conversationId"] == "conv_abc123"
    assert usage["totalTokens"] == usage["inputTokens"] + usage["outputTokens"] > 0
    assert usage["model"] and usage["latencyMs"] >= 0 and "cost" in usage
    assert [name for name in report["types"] if name not in ("token", "usage", "pong")] == [
        "auth_ok",
        "run_started",
        "typing",
        "typing",
        "message_complete",
        "done",
    ]
    assert report["pings"] >= 1
    assert report["code"] in (1000, 1005)  # ours: the server was still there after our pong


async def test_a_client_that_comes_back_has_every_token_once(server: Server) -> None:
    """P2, S0-17: the connection is reset four times, once before any event."""
    async with breaking_network(server.port, [150, 1500, 900, 1200]) as port:
        report = await client("reconnect", server, port)
    assert report["text"] == TEXT
    assert report["indexes"] == list(range(40))
    assert report["connections"] == 5
    assert report["done"]["digest"] == report["digest"]


async def test_a_chat_with_its_own_history_cancels_and_goes_on(server: Server) -> None:
    """P10: five tokens are seen while the model has sent no more; then the same connection asks
    again."""
    stalling = "Hello [[upstream tokens=40 mode=stall at=5]]"
    first, second = await client(
        "chat_class", server, AGENT="acme-agent", STALLING=stalling, MESSAGE=f"Go on {TOKENS}"
    )
    assert first["text"] == first["cancelled"]["content"] == FIVE
    assert first["reason"] == "cancelled"
    assert first["cancelled"]["usage"]["outputTokens"] > 0
    assert (second["text"], second["reason"]) == (TEXT, "complete")
    assert second["metrics"]["tokenCount"] == 40
    assert second["metrics"]["totalMs"] >= second["metrics"]["ttftMs"] > 0


async def test_a_stream_is_read_token_by_token_with_a_buffer(server: Server) -> None:
    report = await client("sse", server)
    assert report["text"] == report["complete"]["content"] == TEXT
    assert report["types"][-1] == "done"
    assert report["chunks"] > 20  # as they come, not all at once
    assert report["ttft"] < report["total"]
    assert report["headers"]["content-type"] == "text/event-stream"
    assert "no-cache" in report["headers"]["cache-control"]
    assert report["headers"]["x-accel-buffering"] == "no"
    assert "content-encoding" not in report["headers"]


async def test_a_reader_without_a_buffer_loses_nothing(server: Server) -> None:
    asked = [
        f"Hello [[upstream tokens=40 delay={delay} content=unicode]]" for delay in (1, 2, 3, 5)
    ]
    reports = await asyncio.gather(
        *(client("sse_unbuffered", server, MESSAGE=message) for message in asked)
    )
    async with Rest(server.url, server.keys.acme) as rest:
        whole = (await rest.post("/api/chat", {"message": asked[0]})).json()["content"]
    assert {report["text"] for report in reports} == {whole}


async def test_aborting_a_request_leaves_the_run_running(server: Server) -> None:
    """P11"""
    report = await client("stop", server, HOW="abort", ON_DISCONNECT="continue")
    assert report["aborted"]
    assert report["text"].startswith(FIVE)
    events = await end_of(server, report["runId"])
    assert events[-1]["reason"] == "complete"


@pytest.mark.parametrize("how", ["abort", "rest"])
async def test_a_stop_ends_the_run_and_keeps_its_text(how: str, server: Server) -> None:
    """P10, P11: by aborting a request that asked for it, or by the cancel address."""
    stalling = "Hello [[upstream tokens=40 mode=stall at=5]]"
    report = await client("stop", server, HOW=how, ON_DISCONNECT="cancel", MESSAGE=stalling)
    assert report["text"] == FIVE
    if how == "rest":
        assert report["types"][-2:] == ["cancelled", "done"]
    *_, outcome, done = await end_of(server, report["runId"])
    assert (outcome["type"], outcome["content"]) == ("cancelled", FIVE)
    assert done["reason"] == "cancelled"
