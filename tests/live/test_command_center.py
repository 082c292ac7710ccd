"""The command center: what is under way in an organisation, and all that happens, resumable."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from tests.live.belongings import master_key
from tests.live.clients import TIMEOUT, Event, Rest, Sse
from tests.live.server import Server

STREAM = "/api/command-center/stream"


@asynccontextmanager
async def watching(
    server: Server, token: str, query: str = "", after: str | None = None
) -> AsyncIterator[Sse]:
    headers = {} if after is None else {"Last-Event-ID": after}
    async with await Sse.open(
        f"{server.url}{STREAM}?{query}", token, method="GET", headers=headers
    ) as stream:
        yield stream


async def until(stream: Sse, type_: str, count: int = 1) -> list[Event]:
    """Everything that the stream says, up to the message of this type (the last of `count`)."""
    seen = len(stream.events)
    async with asyncio.timeout(TIMEOUT):
        async for event in stream:
            count -= event["type"] == type_
            if not count:
                break
    return stream.events[seen:]


def types(events: list[Event], run_id: str) -> list[str]:
    """The types of a run's messages, without its progress."""
    return [
        event["type"]
        for event in events
        if run_id in (event.get("runId"), event.get("run", {}).get("id"))
        and event["type"] != "run:progress"
    ]


LIFE = [
    *("run:started", "run:status_changed", "run:llm_call", "run:status_changed"),
    "run:completed",
]


async def test_it_works(server: Server, manager: Rest, manager_token: str) -> None:
    async with watching(server, manager_token) as stream:
        (state,) = await until(stream, "state")
        answer = (await manager.post("/api/chat", {"message": "hi [[upstream tokens=12]]"})).json()
        events = await until(stream, "run:completed")
    assert (state["runs"], state["alerts"]) == ([], [])
    assert types(events, answer["runId"]) == LIFE
    first, last = events[0], events[-1]
    assert first["run"]["status"] == "queued" and first["run"]["tokens"] == 0
    assert [(e["from"], e["to"]) for e in events if e["type"] == "run:status_changed"] == [
        ("queued", "running"),
        ("running", "completed"),
    ]
    run, result = last["run"], last["result"]
    assert run["id"] == answer["runId"] and run["conversationId"] == answer["conversationId"]
    assert run["agentName"] == "acme-agent" and run["owner"] == "keys"
    assert run["tokens"] == run["tokenUsage"]["total"] == answer["usage"]["totalTokens"]
    assert result["usage"] == answer["usage"] and result["reason"] == "complete"
    assert answer["content"].startswith(result["excerpt"]) and result["excerpt"]


async def test_a_run_is_told_before_its_end_and_its_counters_rise(
    server: Server, manager: Rest, manager_token: str
) -> None:
    async with watching(server, manager_token) as stream:
        await until(stream, "state")
        body = {"message": "hi [[upstream tokens=100 delay=20]]"}
        asking = asyncio.create_task(manager.post("/api/chat", body))
        events = await until(stream, "run:progress", 2)
        state = (await manager.get("/api/command-center/state")).json()
        events += await until(stream, "run:completed")
        await asking
    told = [event for event in events if event["type"] == "run:progress"]
    assert 3 <= len(told) <= 6
    (run,) = state["runs"]
    assert run["status"] == "running" and run["tokens"] >= told[1]["tokens"] > 0
    counters = [(event["tokens"], event["elapsedMs"]) for event in told]
    assert counters == sorted(counters)
    assert events[-1]["run"]["tokens"] >= told[-1]["tokens"]
    assert all("_id" in event for event in events)


async def test_what_waits_is_told_and_what_is_stopped(
    server: Server, manager: Rest, manager_token: str
) -> None:
    async with watching(server, manager_token) as stream:
        await until(stream, "state")
        slow = {"message": "hi [[upstream tokens=5000 delay=5]]", "conversationId": "busy"}
        asking = [asyncio.create_task(manager.post("/api/chat", slow))]
        (started,) = await until(stream, "run:started")
        asking.append(asyncio.create_task(manager.post("/api/chat", slow)))
        waits = (await until(stream, "run:started"))[-1]["run"]
        assert waits["status"] == "queued" and waits["startedAt"] is None
        await manager.post(f"/api/runs/{waits['id']}/cancel")
        ended = await until(stream, "run:completed")
        assert types(ended, waits["id"]) == ["run:status_changed", "run:completed"]
        assert ended[-1]["result"]["status"] == "cancelled"
        await manager.post(f"/api/runs/{started['run']['id']}/cancel")
        ended = await until(stream, "run:completed")
        assert ended[-1]["result"]["reason"] == "cancelled"
        await asyncio.gather(*asking)


async def test_a_failure_is_told(server: Server, manager: Rest, manager_token: str) -> None:
    async with watching(server, manager_token, "eventTypes=run:error,run:completed") as stream:
        await until(stream, "state")
        await manager.post("/api/chat", {"message": "hi [[upstream mode=http status=400]]"})
        error, completed = await until(stream, "run:completed")
    assert error["code"] == completed["run"]["error"]["code"] == "upstream_error"
    assert completed["result"]["status"] == "failed"


async def test_it_goes_on_after_any_position(
    server: Server, manager: Rest, manager_token: str
) -> None:
    async with watching(server, manager_token) as stream:
        (state,) = await until(stream, "state")
        await asyncio.gather(*(manager.post("/api/chat", {"message": "hi"}) for _ in range(5)))
        events = [e for e in await until(stream, "run:completed", 5) if e["type"] != "run:progress"]
    for before, rest in [(state, events), *((e, events[n + 1 :]) for n, e in enumerate(events))]:
        if not rest:
            continue
        async with watching(server, manager_token, after=before["_id"]) as stream:
            again = await until(
                stream, "run:completed", sum(e["type"] == "run:completed" for e in rest)
            )
        assert [e for e in again if e["type"] != "run:progress"] == rest


async def test_a_position_that_is_not_known_gets_a_reset_and_the_state(
    server: Server, manager_token: str
) -> None:
    for position in ("nonsense", "run_1:1", "a.1", "\xff\xfe", "9" * 500):
        async with watching(server, manager_token, after=position) as stream:
            events = await until(stream, "state")
        assert [event["type"] for event in events] == ["reset", "state"]


async def test_p24_another_organisation_sees_nothing_of_it(
    server: Server, manager: Rest, manager_token: str
) -> None:
    token = master_key(server, "globex")
    async with watching(server, token) as stream, watching(server, manager_token) as own:
        await until(stream, "state")
        (state,) = await until(own, "state")
        await manager.post("/api/chat", {"message": "hi"})
        await until(own, "run:completed")
        async with Rest(server.url, token) as other:
            mine = (await other.post("/api/chat", {"message": "hi"})).json()
        events = await until(stream, "run:completed")
    assert types(events, mine["runId"]) == [
        e["type"] for e in events if e["type"] != "run:progress"
    ]
    async with watching(server, token, after=state["_id"]) as stream:
        assert (await until(stream, "state"))[0]["type"] == "reset"


async def test_it_needs_its_scope_and_shows_texts_to_another_one(
    server: Server, manager: Rest, manager_token: str
) -> None:
    agent = (await manager.get("/api/agents")).json()["agents"][0]["id"]
    keys = {}
    for scopes in (["chat"], ["monitor:read"]):
        made = await manager.post(f"/api/agents/{agent}/keys", {"scopes": scopes})
        keys[scopes[0]] = made.json()["apiKey"]
    async with watching(server, keys["chat"]) as stream:
        assert stream.status == 403
    async with watching(server, keys["monitor:read"]) as stream:
        await until(stream, "state")
        await manager.post("/api/chat", {"message": "hi", "agentId": agent})
        completed = (await until(stream, "run:completed"))[-1]
    assert "excerpt" not in completed["result"]


async def test_p22_a_revoked_key_ends_it(server: Server, manager: Rest) -> None:
    agent = (await manager.get("/api/agents")).json()["agents"][0]["id"]
    made = (await manager.post(f"/api/agents/{agent}/keys", {"scopes": ["monitor:read"]})).json()
    async with watching(server, made["apiKey"]) as stream:
        await until(stream, "state")
        await manager.post(f"/api/agents/{agent}/keys/{made['id']}/revoke")
        async with asyncio.timeout(2):
            assert [event async for event in stream] == []


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"eventTypes": "nonsense"}, "invalid_message"),
        ({"agentIds": "globex-agent"}, "agent_not_found"),
        ({"agentIds": "a," * 200}, "invalid_message"),
    ],
)
async def test_wrong_filters_are_refused(manager: Rest, query: dict[str, str], code: str) -> None:
    answer = await manager.get(STREAM, **query)
    assert answer.json()["error"]["code"] == code


async def test_it_survives_a_restart(make_server: Callable[..., Server]) -> None:
    server = make_server()
    token = master_key(server, "acme")
    async with Rest(server.url, token) as rest:
        async with watching(server, token) as stream:
            await until(stream, "state")
            first = (await rest.post("/api/chat", {"message": "hi"})).json()
            events = await until(stream, "run:completed")
        server.kill()
        server.start()
        async with watching(server, token, after=events[0]["_id"]) as stream:
            again = await until(stream, "run:completed")
            assert types(again, first["runId"]) == LIFE[1:]
            second = (await rest.post("/api/chat", {"message": "hi"})).json()
            assert types(await until(stream, "run:completed"), second["runId"]) == LIFE


async def test_a_ticket_opens_it_for_an_event_source(
    server: Server, manager: Rest, manager_token: str
) -> None:
    """Without any header but `Last-Event-ID`, and with what its maker has chosen."""
    asked = {"commandCenter": True, "eventTypes": ["run:completed"]}
    made = (await manager.post("/api/stream-tickets", asked)).json()
    assert made["url"] == f"{server.url}/api/command-center/stream?ticket={made['ticket']}"
    alone = {"Authorization": ""}
    async with await Sse.open(made["url"], "", method="GET", headers=alone) as stream:
        await until(stream, "state")
        await manager.post("/api/chat", {"message": "hi"})
        (first,) = await until(stream, "run:completed")
    await manager.post("/api/chat", {"message": "hi"})
    after = alone | {"Last-Event-ID": first["_id"]}
    async with await Sse.open(made["url"], "", method="GET", headers=after) as stream:
        (second,) = await until(stream, "run:completed")
    assert first["run"]["id"] != second["run"]["id"]
    chat = made["url"].replace("/api/command-center/", "/a/acme-agent/api/chat/")
    async with await Sse.open(chat, "", method="GET", headers=alone) as stream:
        assert stream.status == 403


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"message": "hi"}, "invalid_message"),
        ({"eventTypes": ["nonsense"]}, "invalid_message"),
        ({"agentIds": ["globex-agent"]}, "agent_not_found"),
    ],
)
async def test_a_ticket_that_would_open_nothing_is_not_made(
    manager: Rest, body: dict[str, object], code: str
) -> None:
    answer = await manager.post("/api/stream-tickets", {"commandCenter": True, **body})
    assert answer.json()["error"]["code"] == code


async def test_a_ticket_needs_the_scope_of_its_stream(server: Server) -> None:
    async with Rest(server.url, server.keys.acme) as rest:
        answer = await rest.post("/api/stream-tickets", {"commandCenter": True})
        assert answer.status_code == 403
