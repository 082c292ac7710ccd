"""`conversations.activity`: whoever watches a conversation hears of its runs, hint or no hint."""

import asyncio

import pytest

from accounts.database import database_step
from conversations import access
from conversations.activity import Activity, Arrivals
from conversations.models import Run
from conversations.signals import Signals
from tests.conversations.parts import ask


@pytest.fixture
async def activity(transactional_db):
    signals = Signals()
    await signals.start()
    yield Activity(signals)
    await signals.stop()


async def arrivals(activity: Activity, caller, name: str = "abc") -> Arrivals:
    conversation, _, position = await database_step(access.present, caller, name)
    return Arrivals(activity, conversation, position, begun=begun)


async def begun(run: Run) -> bool:
    return True


async def ask_and_tell(activity: Activity, caller, name: str = "abc") -> Run:
    run = (await database_step(ask, caller, "Hello", conversation_id=name)).run
    await activity.announce(run.conversation_id)
    return run


@pytest.fixture
async def conversation(caller, activity) -> str:
    await database_step(access.create_conversation, caller, "abc", "")
    return "abc"


async def test_it_works(activity, caller, conversation):
    async with await arrivals(activity, caller) as watcher:
        assert await watcher.next(0.01) == []
        waiting = asyncio.create_task(watcher.next())
        run = await ask_and_tell(activity, caller)
        assert await asyncio.wait_for(waiting, 1) == [run]
        assert await watcher.next(0.01) == []


async def test_all_who_watch_are_woken(activity, caller, conversation):
    async with await arrivals(activity, caller) as one, await arrivals(activity, caller) as other:
        run = await ask_and_tell(activity, caller)
        assert await one.next() == await other.next() == [run]


async def test_one_that_leaves_while_another_comes_takes_nothing_away(transactional_db):
    """Joining a group waits for Redis where there is one."""
    joining = asyncio.Event()

    class Slow(Signals):
        async def join(self, group: str) -> None:
            await joining.wait()

    activity, one, other = Activity(Slow()), asyncio.Event(), asyncio.Event()
    coming = asyncio.create_task(activity.watch("conv_1", one))
    await asyncio.sleep(0)
    await activity.watch("conv_1", other)
    await activity.unwatch("conv_1", other)
    joining.set()
    await coming
    activity._wake({"conversation": "conv_1"})
    assert one.is_set()


async def test_a_lost_hint_loses_no_run(activity, caller, conversation):
    async with await arrivals(activity, caller) as watcher:
        await watcher.next(0.01)
        run = (await database_step(ask, caller, conversation_id="abc")).run
        assert await watcher.next(0.01) == [run]


async def test_runs_come_in_their_order_and_once(activity, caller, conversation):
    async with await arrivals(activity, caller) as watcher:
        runs = [await ask_and_tell(activity, caller) for _ in range(3)]
        assert await watcher.next() == runs
        last = await ask_and_tell(activity, caller)
        assert await watcher.next() == [last]


async def test_p24_another_conversation_wakes_nobody(
    activity, caller, foreign_caller, conversation
):
    async with await arrivals(activity, caller) as watcher:
        await watcher.next(0.01)
        await ask_and_tell(activity, foreign_caller)
        await ask_and_tell(activity, caller, "other")
        assert await watcher.next(0.05) == []


async def test_whoever_waits_can_be_woken(activity, caller, conversation):
    async with await arrivals(activity, caller) as watcher:
        await watcher.next(0.01)
        waiting = asyncio.create_task(watcher.next())
        await asyncio.sleep(0)
        watcher.wake()
        assert await asyncio.wait_for(waiting, 1) == []


async def test_who_has_left_is_forgotten(activity, caller, conversation):
    for _ in range(3):
        async with await arrivals(activity, caller):
            assert activity._waiting
        assert not activity._waiting
