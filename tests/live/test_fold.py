"""What clients add up and what the history says is the same, whatever happened (P9)."""

import asyncio
import random
from typing import Any

import pytest

from tests.live.clients import Event, Rest, WebSocket
from tests.live.server import Server
from tests.live.watching import Watch, check_history, check_run

SEEDS = range(4)
RUNS = 12  # at once, for each seed
MODES = ["text", "thinking", "redacted", "unknown", "empty", "tool tool=weather pre=3"]
MODES += ["error", "drop", "truncate", "malformed", "nostop", "http status=400"]
CONTENTS = ["words", "unicode", "json"]


def scenario(choose: random.Random) -> str:
    """A random answer of the model server."""
    keys = f"mode={choose.choice(MODES)} content={choose.choice(CONTENTS)}"
    keys += f" tokens={choose.randint(0, 60)} at={choose.randint(0, 60)} delay=1"
    keys += f" cached={choose.choice([0, 7])} split={choose.choice([0, 0, 5])}"
    return f"hello [[upstream {keys}]]"


@pytest.mark.parametrize("seed", SEEDS)
async def test_the_fold_is_the_history(server: Server, rest: Rest, seed: int) -> None:
    """P9, P13: random answers over both doors, some stopped in the middle."""
    choose = random.Random(seed)
    runs = await asyncio.gather(
        *(one_run(server, rest, random.Random(choose.random())) for _ in range(RUNS))
    )
    for events in runs:
        outcome = check_run(events)
        await check_history(rest, events)
        run = (await rest.get(f"/api/runs/{events[0]['runId']}")).json()
        assert run["lastSeq"] == events[-1]["seq"]
        assert (run["content"], run["usage"]) == (outcome["content"], outcome["usage"])
        assert (run["error"] or {}).get("code") == outcome.get("code")


async def one_run(server: Server, rest: Rest, choose: random.Random) -> list[Event]:
    watch, stop = Watch(server), choose.choice([0, 0, 1, 20])
    message = scenario(choose)
    asking = (
        watch.ws({"content": message}) if choose.random() < 0.5 else watch.sse({"message": message})
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(asking)
        if stop:
            await watch.until(lambda: watch.done or watch.tokens >= stop)
            answer = await rest.post(f"/api/runs/{watch.run_id}/cancel")
            assert answer.status_code == 202
    return watch.events


async def test_a_conversation_is_the_fold_of_its_runs(ws: WebSocket, rest: Rest) -> None:
    """P9: messages sent while others are answered wait their turn and keep their order; one that
    is stopped while it waits has an empty answer."""
    messages = [f"{i} [[upstream tokens=20 delay=2]]" for i in range(5)]
    messages[0] = "0 [[upstream tokens=20 first=3000]]"  # the others all come while it lasts
    for message in messages:
        await ws.send(type="message", content=message)
    started = [await ws.until("run_started") for _ in messages]
    assert [event.get("queued") for event in started] == [None, 1, 2, 3, 4]
    await ws.send(type="cancel", runId=started[3]["runId"])
    while len(done := [event for event in ws.events if event["type"] == "done"]) < len(messages):
        await ws.next()
    assert [event["reason"] for event in sorted(done, key=order(started))] == [
        *["complete"] * 3,
        "cancelled",
        "complete",
    ]
    for first in started:
        run = [event for event in ws.events if event.get("runId") == first["runId"]]
        check_run(run)
        await check_history(rest, run)
    history = await rest.messages(started[0]["conversationId"])
    assert [message["content"] for message in history[::2]] == messages
    assert [message["runId"] for message in history[1::2]] == [run["runId"] for run in started]


def order(started: list[Event]) -> Any:
    """By the place of an event's run."""
    places = {event["runId"]: place for place, event in enumerate(started)}
    return lambda event: places[event["runId"]]
