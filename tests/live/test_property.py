"""Random conversations with everything that may happen to them: what each client has seen is what
there is, and that is what the history says (P1, P2, P5, P9, P13).

`CLAW_PROPERTY_SECONDS=600` looks for longer."""

import asyncio
import json
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.live.clients import Event, Rest
from tests.live.conversing import MAX_SECONDS, Asked, Following, Stage, Viewed
from tests.live.outage import Outage
from tests.live.scenarios import Scenario, scenarios
from tests.live.server import Server
from tests.live.watching import Watch, check_history, check_run

SECONDS = float(os.environ.get("CLAW_PROPERTY_SECONDS", "45"))
SECONDS_EACH = 3.0  # what a scenario takes, about
REFUSALS = {"conversation_busy", "key_revoked", "invalid_token", "rate_limited"}
SETTINGS = {
    "CLAW_MAX_MESSAGES_PER_MINUTE": "100000",
    "CLAW_MAX_CONNECTIONS_PER_AGENT": "1000",
}


@pytest.mark.timeout(60 + SECONDS * 5)
@given(scenarios)
@settings(
    max_examples=max(1, int(SECONDS / SECONDS_EACH)),
    deadline=None,
    database=None,
    phases=[Phase.generate],  # the same scenario takes another course each time: no shrinking
    suppress_health_check=list(HealthCheck),
)
async def test_everybody_sees_all_of_it_once(server: Server, scenario: Scenario) -> None:
    """P1, P2, P5, P9, P13: whatever is dropped, resumed, stopped, asked, revoked or killed."""
    outage, calm = Outage(scenario.after), asyncio.Event()
    stages = [make_stage(server, outage, talk) for talk in scenario.talks]
    acted = asyncio.Barrier(len(stages))
    async with asyncio.timeout(MAX_SECONDS), Rest(server.url, server.keys.acme) as rest:
        for stage in stages:
            await stage.open(rest)
        outage.up.set()
        async with asyncio.TaskGroup() as group:
            group.create_task(strike(server, outage, scenario.fault, calm))
            for stage in stages:
                group.create_task(stage.play(acted, calm))
        for stage in stages:
            await check(stage, rest)
    assert '"level": "ERROR"' not in server.log


def make_stage(server: Server, outage: Outage, talk: Any) -> Stage:
    if talk.revoked is None:
        return Stage(server, outage, talk, server.keys.acme, lambda: None)
    key = json.loads(server.manage("create_api_key", "--agent", "acme-agent", "--json"))
    return Stage(
        server,
        outage,
        talk,
        key["apiKey"],
        lambda: server.manage("revoke_api_key", key["keyId"]),
    )


async def strike(server: Server, outage: Outage, fault: str | None, calm: asyncio.Event) -> None:
    """The server goes away when that is due, and comes back, also if the scenario has failed."""
    if fault is not None:
        await outage.due.wait()
        outage.up.clear()
        restarting = asyncio.create_task(asyncio.to_thread(restart, server, fault))
        try:
            await asyncio.shield(restarting)
        finally:
            await restarting
        outage.up.set()
    calm.set()


def restart(server: Server, fault: str) -> None:
    code = server.kill() if fault == "kill" else server.stop()
    server.start()
    assert not code


async def check(stage: Stage, rest: Rest) -> None:
    """The history holds what was accepted, in order, and nothing else; each run is whole; and
    everybody has seen just that."""
    history = await rest.messages(stage.name)
    asked = {one.text: one for one in stage.asked}
    texts = [message["content"] for message in history[::2]]
    assert len(set(texts)) == len(texts)
    assert set(texts) <= set(asked)
    assert {text for text, one in asked.items() if one.watch.run_id} <= set(texts)
    assert {text for text, one in asked.items() if one.refused is None} <= set(texts)
    runs: dict[str, list[Event]] = {}
    for message in history[1::2]:
        watch = Watch(stage.server, message["runId"])
        await watch.sse(path=f"/api/runs/{watch.run_id}/events")
        outcome = check_run(watch.events)
        await check_history(rest, watch.events)
        run = (await rest.get(f"/api/runs/{watch.run_id}")).json()
        assert run["lastSeq"] == watch.last
        assert (run["content"], run["usage"]) == (outcome["content"], outcome["usage"])
        runs[watch.run_id] = watch.events
    for events in runs.values():
        check_asked(asked[events[0]["userContent"]], events)
    for viewed in stage.viewed:
        check_viewed(viewed, runs[viewed.watch.run_id])
    for following in stage.following:
        if following.door == "sse":
            check_stream(following, runs)
        else:
            for part in following.parts:
                check_subscription(part, runs)


def check_asked(asked: Asked, events: list[Event]) -> None:
    seen, outcome = asked.watch.events, events[-2]
    assert seen == events[: len(seen)]
    assert asked.refused or len(seen) == len(events)
    assert asked.refused in REFUSALS | {None}
    if asked.answer is None:
        return
    status, answer = asked.answer
    if status == 200:
        assert (answer["runId"], answer["content"]) == (outcome["runId"], outcome["content"])
        assert answer["usage"] == outcome["usage"]
    elif details := answer["error"].get("details", {}):
        assert answer["error"]["code"] == outcome["code"]
        assert (details["runId"], details["content"]) == (outcome["runId"], outcome["content"])
    else:
        assert answer["error"]["code"] in REFUSALS


def check_viewed(viewed: Viewed, events: list[Event]) -> None:
    """From where it began it has seen the rest, and the snapshot holds what was before."""
    assert joined(viewed.watch.events) == joined(after(events, viewed.start))
    if viewed.snapshot is not None:
        check_snapshot(viewed.snapshot, events)


def check_stream(following: Following, runs: dict[str, list[Event]]) -> None:
    """All its connections together: run by run, from the first that it met to the last."""
    seen = [event for part in following.parts for event in part]
    first = list(runs).index(seen[0]["runId"])
    assert [without_id(event) for event in seen] == [
        event for run in list(runs.values())[first:] for event in run
    ]


def check_subscription(part: list[Event], runs: dict[str, list[Event]]) -> None:
    """One connection: no run is left out, and each is there from its beginning or a snapshot."""
    met = list(dict.fromkeys(event["runId"] for event in part))
    places = sorted(list(runs).index(run_id) for run_id in met)
    assert places == list(range(places[0], places[0] + len(places))) if places else True
    for run_id in met:
        begin, *rest = [event for event in part if event["runId"] == run_id]
        if begin["type"] == "snapshot":
            check_snapshot(begin, runs[run_id])
            expected = after(runs[run_id], begin["lastSeq"])
        else:
            rest, expected = [begin, *rest], runs[run_id]
        assert rest == expected[: len(rest)]


def check_snapshot(snapshot: Event, events: list[Event]) -> None:
    """It is the fold of what came before."""
    before = [event for event in events if event["seq"] <= snapshot["lastSeq"]]
    tokens = [event["content"] for event in before if event["type"] == "token"]
    assert snapshot["message"]["content"] == "".join(tokens)
    assert snapshot["nextIndex"] == len(tokens)


def after(events: list[Event], seq: int) -> list[Event]:
    return [event for event in events if event["seq"] > seq]


def joined(events: list[Event]) -> list[Event]:
    """With neighbouring tokens as one, as `merge` asks; the count is that of all of them."""
    found: list[Event] = []
    for event in events:
        if event["type"] == "token" and found and found[-1]["type"] == "token":
            before = found.pop()
            event = before | {
                "content": before["content"] + event["content"],
                "count": before["count"] + event.get("count", 1),
                "seq": event["seq"],
            }
        found.append({"count": 1} | event if event["type"] == "token" else event)
    return found


def without_id(event: Event) -> Event:
    return {name: event[name] for name in event if name != "_id"}
