"""Money adds up: events, outcome, stored run and the model server's own counters agree."""

import asyncio
import json
from typing import Any

from tests.live.clients import Event, Rest, Sse
from tests.live.raw import new_tag
from tests.live.server import Server
from tests.upstream import Directive
from tests.upstream.process import UpstreamProcess

ROUNDS = 10
COMPLETE = [
    "tokens=30",
    "tokens=30 cached=50",
    "mode=thinking think=7 tokens=9",
    "mode=redacted tokens=4",
    "mode=unknown tokens=5",
    "tokens=12 stop=max_tokens",
    "mode=http status=529 retry_after=0 times=1 tokens=6",
]
CUT = [
    "tokens=20 mode=drop at=7",
    "tokens=20 mode=truncate at=7",
    "tokens=20 mode=error at=7",
    "mode=http status=400",
]
CANCELLED = "tokens=5000 delay=5"
COUNTERS = ("inputTokens", "outputTokens", "cacheReadTokens", "cacheWriteTokens", "reasoningTokens")


async def spend(server: Server, rest: Rest, directive: str, tag: str) -> list[Event]:
    """One run to its end, stopped by the client where the directive is the endless one."""
    body = {"message": f"go [[upstream {directive} tag={tag}]]"}
    url = f"{server.url}/api/chat/stream"
    async with await Sse.open(url, server.keys.acme, body=body) as stream:
        if directive == CANCELLED:
            await stream.read(tokens=5)
            await rest.post(f"/api/runs/{stream.events[0]['runId']}/cancel")
        return await stream.read()


def total(reports: list[Event]) -> dict[str, int]:
    return {name: sum(report[name] for report in reports) for name in COUNTERS}


def counted_by_model_server(directive: str, body: Any) -> dict[str, int]:
    """What the model server says of an answer that it gave to its end (see tests.upstream)."""
    asked = Directive.parse(directive)
    deltas = asked.tokens + (asked.think + 1 if asked.mode == "thinking" else 0)
    deltas += asked.mode == "unknown"
    return {
        "inputTokens": len(json.dumps(body)) // 4 + 2 * asked.cached,
        "outputTokens": deltas,
        "cacheReadTokens": asked.cached,
        "cacheWriteTokens": asked.cached,
    }


async def check(server: Server, upstream: UpstreamProcess, rest: Rest, directive: str) -> None:
    tag = new_tag()
    events = await spend(server, rest, directive, tag)
    outcome, done = events[-2], events[-1]
    usage = outcome["usage"]
    assert usage["totalTokens"] == usage["inputTokens"] + usage["outputTokens"]
    sums = total([event for event in events if event["type"] == "usage"])
    assert sums == {name: usage[name] for name in COUNTERS}, directive
    assert done["usage"] == usage
    run = (await rest.get(f"/api/runs/{done['runId']}")).json()
    history = await rest.messages(done["conversationId"])
    assert run["usage"] == history[-1]["usage"] == usage
    expected = {CANCELLED: "cancelled"} | dict.fromkeys(CUT, "error")
    assert done["reason"] == expected.get(directive, "complete"), directive
    if directive in COMPLETE:
        assert usage["source"] == "provider"
        body = upstream.requests(tag)[-1]["body"]
        counters = counted_by_model_server(directive, body)
        assert {name: usage[name] for name in counters} == counters, directive
    elif directive != CUT[-1]:  # a call that was refused cost nothing
        assert usage["source"] == "estimated"
        assert usage["outputTokens"] > 0


async def test_it_works(server: Server, upstream: UpstreamProcess, rest: Rest) -> None:
    """P13: mixed runs, faults and stops among them; the difference is 0 for each of them."""
    for _ in range(ROUNDS):
        kinds = [*COMPLETE, *CUT, CANCELLED]
        await asyncio.gather(*(check(server, upstream, rest, kind) for kind in kinds))


async def test_a_known_price_is_charged_and_an_unknown_one_is_not_made_up(rest: Rest) -> None:
    """P13: `cost` is USD where the model's price is known, null where not, never a made-up 0."""
    answer = (await rest.post("/api/chat", {"message": "go [[upstream tokens=40]]"})).json()
    cost = answer["usage"]["cost"]
    assert cost is None or cost > 0
