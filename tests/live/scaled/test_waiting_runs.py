"""Runs that wait for people: rows and logs, and nothing of any process."""

import asyncio
import os
from collections.abc import Callable

from tests.live.clients import Event, Rest, Sse
from tests.live.scaled.asking import query
from tests.live.scaled.stack import Stack
from tests.live.test_management import manager

COUNT, WARM = 1000, 100
AT_ONCE = 25
ASK = {"message": "/approve 6 * 7\n/delay 0"}
AGENT = {"provider": "demo", "tools": [{"builtin": "calculator", "approval": "always"}]}
MAX_GROWTH_MB = 10
"""Of all processes together for the second half: less than a tenth of what a run at work holds."""


async def test_a_thousand_hold_no_worker_no_socket_and_no_memory(
    make_server: Callable[..., Stack],
) -> None:
    stack = await asyncio.to_thread(make_server)
    key = manager(stack, "acme", "chat,conversations:read,agents:write,runs:approve")
    async with Rest(stack.url, key) as rest:
        changed = await rest.request("PATCH", "/api/agents/acme-agent", json=AGENT)
        assert changed.status_code == 200, changed.text
        await begin(rest, WARM)
        first = await all_held(stack)
        runs = await begin(rest, COUNT // 2)
        half = await all_held(stack)
        await begin(rest, COUNT // 2)
        last = await all_held(stack)
        waiting = "SELECT count(*) FROM conversations_run WHERE status = 'waiting'"
        assert query(stack, waiting) == [(WARM + COUNT,)]
        assert query(stack, "SELECT count(*) FROM procrastinate_jobs") == [(0,)]
        grown = [half[0] - first[0], last[0] - half[0]]
        print(f"{COUNT} waiting runs: {grown[0]:+.1f} and {grown[1]:+.1f} MB for each half")
        print(f"{last[1] - first[1]:+d} files and sockets of all processes")
        assert grown[1] < MAX_GROWTH_MB and last[1] - first[1] < 20
        await approve(rest, runs[0])
        url = f"{stack.url}/api/runs/{runs[0]['runId']}/events"
        async with await Sse.open(url, key, method="GET") as events:
            assert (await events.read())[-1]["reason"] == "complete"


async def begin(rest: Rest, count: int) -> list[Event]:
    """So many runs, each of which has come to wait."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one() -> Event:
        async with gate:
            answer = await rest.post("/api/chat", json=ASK)
        assert (answer.status_code, answer.json()["status"]) == (202, "waiting"), answer.text
        return answer.json()

    return await asyncio.gather(*(one() for _ in range(count)))


async def approve(rest: Rest, run: Event) -> None:
    (call,) = run["pending"]
    verdict = {"argsDigest": call["argsDigest"], "approve": True}
    answer = await rest.post(f"/api/runs/{run['runId']}/approvals/{call['id']}", json=verdict)
    assert answer.status_code == 200, answer.text


async def all_held(stack: Stack) -> tuple[float, int]:
    """The memory of all processes in MB, and their open files and sockets, when connections that
    nobody uses are closed."""
    await asyncio.sleep(1)
    files = [len(os.listdir(f"/proc/{process.pid}/fd")) for process in stack.processes]
    return sum(process.rss_mb() for process in stack.processes), sum(files)
