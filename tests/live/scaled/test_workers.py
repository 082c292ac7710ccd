"""Workers die, stall and leave: their runs go on or end, and nobody waits for ever."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable

import pytest

from tests.live.clients import Rest
from tests.live.installation import LEASE_SECONDS
from tests.live.raw import until
from tests.live.scaled.asking import LONG, ended, only, query, set_on_crash, under_way
from tests.live.scaled.stack import Stack
from tests.live.watching import check_history, check_run
from tests.upstream import expected_text

TAKEN_OVER = LEASE_SECONDS + 10.0  # P4
WHOLE = expected_text("tokens=200")


@pytest.fixture
def make_stack(make_server: Callable[..., Stack]) -> Callable[..., Awaitable[Stack]]:
    """`await make_stack("continue")`: only its first worker runs, and that is `onCrash`."""

    async def make(policy: str = "fail", **settings: str) -> Stack:
        made = await asyncio.to_thread(make_server, **settings)
        set_on_crash(made, policy)
        await only(made, made.workers[0])
        return made

    return make


async def no_jobs(stack: Stack) -> None:
    """Return when the queue is empty."""
    await until(lambda: query(stack, "SELECT count(*) FROM procrastinate_jobs") == [(0,)])


async def test_runs_of_a_killed_worker_end_with_what_they_have(make_stack) -> None:
    """P1, P4, P5: `onCrash: fail`; the other worker ends them within the lease and ten seconds."""
    stack = await make_stack("fail")
    askers = await under_way(stack, 5)
    await asyncio.to_thread(stack.workers[0].kill)
    begun = time.monotonic()
    await asyncio.to_thread(stack.workers[1].start)
    await ended(askers)
    assert time.monotonic() - begun < TAKEN_OVER
    async with Rest(stack.url, stack.keys.acme) as rest:
        for asker in askers:
            outcome = check_run(asker.watch.events)
            assert (outcome["type"], outcome["code"]) == ("error", "run_interrupted")
            assert WHOLE.startswith(outcome["content"]) and outcome["content"]
            await check_history(rest, asker.watch.events)
    await no_jobs(stack)


async def test_runs_of_a_killed_worker_go_on_where_their_agent_wants_it(make_stack) -> None:
    """P2, P4: `onCrash: continue`; the text is kept, and marked where it was broken."""
    stack = await make_stack("continue")
    askers = await under_way(stack, 5)
    await asyncio.to_thread(stack.workers[0].kill)
    begun = time.monotonic()
    await asyncio.to_thread(stack.workers[1].start)
    async with asyncio.timeout(TAKEN_OVER):
        for asker in askers:
            await asker.watch.until(lambda w=asker.watch: marks(w.events))
    assert time.monotonic() - begun < TAKEN_OVER
    await ended(askers)
    async with Rest(stack.url, stack.keys.acme) as rest:
        for asker in askers:
            assert check_run(asker.watch.events)["type"] == "message_complete"
            assert len(marks(asker.watch.events)) == 1
            await check_history(rest, asker.watch.events)
    await no_jobs(stack)


def marks(events: list[dict[str, object]]) -> list[object]:
    """The places where another worker went on."""
    return [event["seq"] for event in events if event.get("stage") == "continued"]


@pytest.mark.parametrize("policy", ["fail", "continue"])
async def test_a_worker_that_was_only_slow_writes_nothing_more(make_stack, policy: str) -> None:
    """P2, P5: it is fenced; when it wakes up, the run has its one end, or goes on elsewhere."""
    stack = await make_stack(policy)
    askers = await under_way(stack, 3)
    slow = stack.workers[0]
    os.kill(slow.pid, signal.SIGSTOP)
    try:
        await asyncio.to_thread(stack.workers[1].start)
        for asker in askers:
            await asker.watch.until(lambda w=asker.watch: w.done or marks(w.events))
    finally:
        os.kill(slow.pid, signal.SIGCONT)
    await ended(askers)
    await no_jobs(stack)
    async with Rest(stack.url, stack.keys.acme) as rest:
        for asker in askers:
            outcome = check_run(asker.watch.events)
            expected = {"fail": "error", "continue": "message_complete"}[policy]
            assert outcome["type"] == expected
            await check_history(rest, asker.watch.events)
    # It works again: the other one leaves.
    await asyncio.to_thread(stack.workers[1].stop)
    askers = await under_way(stack, 3, "[[upstream tokens=5]]")
    await ended(askers)


@pytest.mark.parametrize("policy", ["fail", "continue"])
async def test_a_worker_that_leaves_hands_its_runs_over(make_stack, policy: str) -> None:
    """P8: SIGTERM is nobody's stop. What is short ends within the grace; the rest goes at once to
    another worker, which does what `onCrash` says. No token is lost."""
    stack = await make_stack(policy, CLAW_SHUTDOWN_GRACE="1")
    askers = await under_way(stack, 5) + await under_way(stack, 5, "[[upstream tokens=30 delay=9]]")
    await asyncio.to_thread(stack.workers[1].start)
    assert await asyncio.to_thread(stack.workers[0].stop) == 0
    await ended(askers)
    async with Rest(stack.url, stack.keys.acme) as rest:
        for asker in askers:
            outcome = check_run(asker.watch.events)
            broken = asker.content == LONG
            if broken and policy == "fail":
                assert outcome["code"] == "run_interrupted"
                assert WHOLE.startswith(outcome["content"]) and outcome["content"]
            else:
                assert outcome["type"] == "message_complete"
                assert len(marks(asker.watch.events)) == broken
            await check_history(rest, asker.watch.events)
    await no_jobs(stack)


async def test_two_workers_share_the_runs_and_one_dies(make_server: Callable[..., Stack]) -> None:
    """P1, P4, P5: nobody is told that it is gone; with both alive before."""
    stack = await asyncio.to_thread(make_server)
    set_on_crash(stack, "continue")
    askers = await under_way(stack, 20)
    await asyncio.to_thread(stack.workers[1].kill)
    begun = time.monotonic()
    await ended(askers)
    assert time.monotonic() - begun < TAKEN_OVER + 200 * 0.015
    outcomes = [check_run(asker.watch.events) for asker in askers]
    assert {outcome["type"] for outcome in outcomes} == {"message_complete"}
    assert 0 < sum(bool(marks(asker.watch.events)) for asker in askers) < len(askers)
    await no_jobs(stack)
