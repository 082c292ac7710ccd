"""Pipelines of many processes: those that carry a pipeline out are killed again and again."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.live.belongings import master_key
from tests.live.clients import Rest
from tests.live.scaled.stack import Stack
from tests.pipelines.receiver import receiving

ITEMS, AT_ONCE, KILLS = 100_000, 1000, 10
SIZE = 60_000  # ms of a window, in which 600 items lie
PIPELINES = "/api/streaming/pipelines"
TRANSFORMS = [
    {"type": "filter", "config": {"field": "status", "operator": "eq", "value": "completed"}},
    {"type": "map", "config": {"expression": {"n": "tokens.total * 1", "at": "at"}}},
    {
        "type": "window",
        "config": {
            "type": "tumbling",
            "size": SIZE,
            "timeField": "at",
            "aggregations": [
                {"field": "n", "function": "sum", "alias": "sum"},
                {"field": "*", "function": "count", "alias": "count"},
            ],
        },
    },
    {"type": "batch", "config": {"size": 10, "timeout": 1000}},
]


def item(number: int) -> dict[str, Any]:
    status = "failed" if number % 10 == 0 else "completed"
    return {"status": status, "tokens": {"total": number}, "at": number * 100}


def expected() -> dict[int, tuple[int, int]]:
    """The sum and the count of each window, by its start."""
    sums: Counter[int] = Counter()
    counts: Counter[int] = Counter()
    for number in range(ITEMS):
        if number % 10:
            start = number * 100 // SIZE * SIZE
            sums[start] += number
            counts[start] += 1
    return {start: (sums[start], counts[start]) for start in counts}


@pytest.mark.timeout(900)
async def test_nothing_is_lost_and_windows_are_exact_though_workers_die(
    make_server: Callable[..., Stack],
) -> None:
    """100,000 items, and ten kills of the worker that may have the pipeline."""
    stack = await asyncio.to_thread(make_server, CLAW_ALLOW_PRIVATE_NETWORKS="127.0.0.0/8")
    async with receiving() as receiver, Rest(stack.url, master_key(stack, "acme")) as rest:
        body = {
            "name": "Ours",
            "source": {"type": "webhook"},
            "transforms": TRANSFORMS,
            "destination": {"type": "webhook", "config": {"url": receiver.url}},
        }
        path = f"{PIPELINES}/{(await rest.post(PIPELINES, body)).json()['id']}"
        await rest.post(f"{path}/start")
        for kill in range(KILLS):
            for first in range(0, ITEMS // KILLS, AT_ONCE):
                begin = kill * ITEMS // KILLS + first
                some = [item(number) for number in range(begin, begin + AT_ONCE)]
                assert (await rest.post(f"{path}/batch", {"items": some})).status_code == 202
            victim = stack.workers[kill % len(stack.workers)]
            await asyncio.to_thread(victim.kill)
            await asyncio.to_thread(victim.start)
        await reached(rest, path, ITEMS)
        await rest.post(f"{path}/stop")
        while (await rest.get(path)).json()["stopping"]:  # noqa: ASYNC110
            await asyncio.sleep(0.2)
        metrics = (await rest.get(f"{path}/metrics")).json()
    windows: dict[str, Any] = {}
    for _, _, body in receiver.requests:
        for each in body["items"]:
            known = windows.setdefault(each["id"], each)
            assert known == each  # what comes twice is the same
    found = {each["windowStart"]: (each["sum"], each["count"]) for each in windows.values()}
    assert found == expected()
    assert metrics["received"] == ITEMS == metrics["delivered"] + metrics["filtered"]


async def reached(rest: Rest, path: str, count: int) -> None:
    """Return when so many items have been read."""
    while (await rest.get(f"{path}/metrics")).json()["received"] < count:  # noqa: ASYNC110
        await asyncio.sleep(0.5)
