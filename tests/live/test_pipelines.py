"""Pipelines over the API of a real server, to a receiver on this machine."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.live.belongings import master_key
from tests.live.clients import Rest
from tests.live.server import Server
from tests.pipelines.receiver import SOON, Receiver, receiving

SETTINGS = {"CLAW_ALLOW_PRIVATE_NETWORKS": "127.0.0.0/8"}
PIPELINES = "/api/streaming/pipelines"
# The objects of the source document's own example.
FILTER = {
    "type": "filter",
    "config": {"field": "status", "operator": "eq", "value": "completed"},
}
MAP = {
    "type": "map",
    "config": {
        "expression": {
            "event_type": '"agent_completion"',
            "agent_id": "agentId",
            "tokens": "tokenUsage.total",
            "cost": "cost",
            "timestamp": "completedAt",
        }
    },
}


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
async def shop(server: Server) -> AsyncIterator[Rest]:
    """An organisation of its own, with an agent."""
    name = f"org-{uuid4().hex[:8]}"
    server.manage("create_org", name)
    async with Rest(server.url, master_key(server, name)) as client:
        await client.post("/api/agents", {"name": "Helper", "provider": "anthropic"})
        yield client


async def made(shop: Rest, url: str, *transforms: Any, **fields: Any) -> dict[str, Any]:
    """A pipeline that runs."""
    body = {
        "name": "Ours",
        "source": {"type": "webhook"},
        "transforms": list(transforms),
        "destination": {"type": "webhook", "config": {"url": url}},
        **fields,
    }
    answer = await shop.post(PIPELINES, body)
    assert answer.status_code == 201, answer.text
    started = await shop.post(f"{PIPELINES}/{answer.json()['id']}/start")
    assert started.json()["status"] == "running", started.text
    return dict(answer.json())


async def until(ask: Callable[[], Awaitable[Any]], wanted: Callable[[Any], Any]) -> Any:
    """The answer, once it is as wanted."""
    async with asyncio.timeout(SOON):
        while not wanted(found := (await ask()).json()):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    return found


async def test_it_works(shop: Rest, receiver: Receiver) -> None:
    """What the source document begins with: completed runs, as they are counted elsewhere."""
    pipeline = await made(
        shop, receiver.url, FILTER, MAP, source={"type": "agent_execution", "agentIds": ["helper"]}
    )
    assert pipeline["status"] == "created"
    path = f"{PIPELINES}/{pipeline['id']}"
    await until(lambda: shop.get(f"{path}/metrics"), lambda found: found["lastCheckpointAt"])
    await until(lambda: shop.get(f"{path}/health"), lambda found: found["status"] == "healthy")
    run = None
    while not receiver.requests:  # the pipeline may begin to read after the first run
        run = (await shop.post("/api/chat", {"message": "go [[upstream tokens=3]]"})).json()
        await asyncio.sleep(1)
    assert run is not None
    _, headers, body = receiver.requests[0]
    assert headers["webhook-id"].startswith("run_")
    assert body["event_type"] == "agent_completion"
    assert isinstance(body["tokens"], int)
    assert set(body) == {"event_type", "agent_id", "tokens", "cost", "timestamp"}
    metrics = await until(lambda: shop.get(f"{path}/metrics"), lambda found: found["delivered"])
    parts = ("delivered", "filtered", "failed", "late", "inFlight")
    assert metrics["received"] == sum(metrics[name] for name in parts)
    assert metrics["latency"]["avg"] >= 0
    stats = (await shop.get("/api/streaming/stats")).json()
    assert (stats["pipelines"], stats["byStatus"]["running"]) == (1, 1)


async def test_items_come_by_the_address_and_over_the_api(
    shop: Rest, receiver: Receiver, server: Server
) -> None:
    pipeline = await made(shop, receiver.url)
    path, url = f"{PIPELINES}/{pipeline['id']}", pipeline["ingestUrl"]
    once = {"Idempotency-Key": uuid4().hex}
    async with httpx.AsyncClient(trust_env=False) as other:
        url = server.url + url[url.index("/api/") :]
        answers = [
            await other.post(url, json={"n": 1}, headers=once),
            await other.post(url, json={"n": 1}, headers=once),
            await other.post(url, json=[{"n": 2}, {"n": 3}]),
            await other.post(
                url,
                content=b'{"n": 4}\n\n{"n": 5}\n',
                headers={"content-type": "application/x-ndjson"},
            ),
        ]
        assert [(each.status_code, each.json()["accepted"]) for each in answers] == [
            (202, 1),
            (202, 1),
            (202, 2),
            (202, 2),
        ]
        assert (await other.post(url, json=3)).status_code == 400
        assert (await other.post(f"{url}x", json={})).status_code == 404
    assert (await shop.post(f"{path}/process", {"item": {"n": 6}})).status_code == 202
    assert (await shop.post(f"{path}/batch", {"items": [{"n": 7}]})).json() == {"accepted": 1}
    await receiver.got(7)
    assert receiver.bodies == [{"n": n} for n in range(1, 8)]
    listed = (await shop.get(PIPELINES)).json()["pipelines"]
    assert listed[0]["ingestUrl"] == pipeline["ingestUrl"]


async def test_what_fails_is_listed_and_tried_again(shop: Rest) -> None:
    async with receiving(lambda body: "400 No") as receiver:
        pipeline = await made(shop, receiver.url)
        path = f"{PIPELINES}/{pipeline['id']}"
        await shop.post(f"{path}/process", {"item": {"n": 1}})
        (failure,) = (
            await until(lambda: shop.get(f"{path}/failures"), lambda found: found["failures"])
        )["failures"]
        assert (failure["item"], failure["destination"]) == ({"n": 1}, 0)
        assert failure["reason"] == "The receiver answered 400."
        health = (await shop.get(f"{path}/health")).json()
        assert (health["status"], health["lastError"]) == ("degraded", failure["reason"])
        receiver.answer = lambda body: "200 OK"
        retried = await shop.post(f"{path}/failures/retry")
        assert (retried.status_code, retried.json()) == (202, {"accepted": 1})
        await receiver.got(2)
    await until(lambda: shop.get(f"{path}/failures"), lambda found: not found["failures"])


async def test_a_test_shows_each_stage_and_delivers_nothing(shop: Rest, receiver: Receiver) -> None:
    pipeline = await made(shop, receiver.url, FILTER, {"type": "batch", "config": {"size": 10}})
    items = [{"status": "completed"}, {"status": "failed"}]
    found = (await shop.post(f"{PIPELINES}/{pipeline['id']}/test", {"items": items})).json()
    assert [stage["type"] for stage in found["stages"]] == ["filter", "batch"]
    assert found["stages"][0]["items"] == [{"status": "completed"}]
    assert found["output"][0]["items"][0]["status"] == "completed"
    assert found["filtered"] == 1
    assert receiver.requests == []


async def test_a_table_is_filled_and_read(shop: Rest) -> None:
    destination = {
        "type": "database",
        "config": {
            "table": "agent_metrics",
            "operation": "upsert",
            "conflictFields": ["agent_id", "date"],
        },
    }
    pipeline = await made(shop, "", destination=destination)
    items = [{"agent_id": "a", "date": "1", "n": n} for n in range(3)]
    await shop.post(f"{PIPELINES}/{pipeline['id']}/batch", {"items": [*items, {"agent_id": "=b"}]})
    path = "/api/streaming/tables"
    await until(
        lambda: shop.get(path), lambda found: found["tables"] and found["tables"][0]["rows"]
    )
    rows = await until(
        lambda: shop.get(f"{path}/agent_metrics/rows"), lambda it: len(it["rows"]) == 2
    )
    assert rows["rows"] == [{"agent_id": "=b"}, {"agent_id": "a", "date": "1", "n": 2}]
    page = (await shop.get(f"{path}/agent_metrics/rows", limit=1)).json()
    more = (await shop.get(f"{path}/agent_metrics/rows", before=page["nextCursor"])).json()
    assert more["rows"] == rows["rows"][1:]
    csv = await shop.request("GET", f"{path}/agent_metrics/rows", headers={"accept": "text/csv"})
    assert csv.text.splitlines() == ["agent_id,date,n", "'=b,,", "a,1,2"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"transforms": [{"type": "sort", "config": {}}]}, "transforms[0].type"),
        (
            {"transforms": [FILTER, {"type": "map", "config": {}}]},
            "transforms[1].config.expression",
        ),
        (
            {"transforms": [{"type": "map", "config": {"expression": {"a": "foo(b)"}}}]},
            "transforms[0].config.expression.a",
        ),
        ({"source": {"type": "schedule", "cron": "every day"}}, "source.cron"),
        (
            {"destination": {"type": "webhook", "config": {"url": "http://10.0.0.1/"}}},
            "destination.config.url",
        ),
        (
            {"destination": {"type": "analytics", "config": {"provider": "segment"}}},
            "destination.config.writeKey",
        ),
    ],
)
async def test_p28_what_no_pipeline_can_be_is_refused_at_its_place(
    shop: Rest, fields: dict[str, Any], field: str
) -> None:
    body = {
        "name": "Ours",
        "source": {"type": "webhook"},
        "destination": {"type": "webhook", "config": {"url": "https://example.com/"}},
        **fields,
    }
    error = (await shop.post(PIPELINES, body)).json()["error"]
    assert (error["code"], error["details"]["field"]) == ("invalid_message", field)


async def test_a_pipeline_takes_items_only_while_it_runs_or_pauses(
    shop: Rest, receiver: Receiver
) -> None:
    pipeline = await made(shop, receiver.url)
    path = f"{PIPELINES}/{pipeline['id']}"
    item = {"item": {}}
    assert (await shop.post(f"{path}/pause")).json()["status"] == "paused"
    assert (await shop.post(f"{path}/process", item)).status_code == 202
    assert (await shop.post(f"{path}/resume")).json()["status"] == "running"
    await receiver.got(1)
    assert (await shop.post(f"{path}/stop")).json()["status"] == "stopped"
    refused = await shop.post(f"{path}/process", item)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "pipeline_status")
    await until(lambda: shop.get(path), lambda found: not found["stopping"])
    assert (await shop.post(f"{path}/start")).status_code == 200


async def test_an_edit_is_a_new_version_and_a_kept_checkpoint_can_be_restored(
    shop: Rest, receiver: Receiver
) -> None:
    pipeline = await made(shop, receiver.url)
    path = f"{PIPELINES}/{pipeline['id']}"
    kept = (await shop.post(f"{path}/checkpoints")).json()
    changed = await shop.request("PATCH", path, json={"transforms": [FILTER], "name": "Mine"})
    assert (changed.json()["version"], changed.json()["name"]) == (2, "Mine")
    restored = await shop.post(f"{path}/restore", {"checkpointId": kept["id"]})
    assert restored.status_code == 200, restored.text
    listed = (await shop.get(f"{path}/checkpoints")).json()["checkpoints"]
    assert sorted(each["latest"] for each in listed) == [False, True]


async def test_secrets_are_for_those_who_may_manage_them(shop: Rest, server: Server) -> None:
    body = {
        "name": "Ours",
        "source": {"type": "webhook"},
        "destination": {
            "type": "analytics",
            "config": {"provider": "segment", "writeKey": "${secrets.SEGMENT_KEY}"},
        },
    }
    scopes = {"scopes": ["pipelines:write"], "everyAgent": True}
    agent = (await shop.get("/api/agents")).json()["agents"][0]["id"]
    key = (await shop.post(f"/api/agents/{agent}/keys", scopes)).json()["apiKey"]
    async with Rest(server.url, key) as member:
        assert (await member.post(PIPELINES, body)).status_code == 403
    assert (await shop.post(PIPELINES, body)).status_code == 201
