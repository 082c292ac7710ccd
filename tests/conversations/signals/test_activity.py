"""`conversations.signals.activity`: a conversation's watchers hear of its runs."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conversations import access
from conversations.models import Conversation, Run
from conversations.signals.activity import Activity, Arrivals
from conversations.signals.channel import Signals
from core.database import database_step
from engine.errors import ClawError
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
        waiting = asyncio.create_task(watcher.next(5))
        run = await ask_and_tell(activity, caller)
        assert await asyncio.wait_for(waiting, 1) == [run]
        assert await watcher.next(0.01) == []


async def test_all_who_watch_are_woken(activity, caller, conversation):
    async with await arrivals(activity, caller) as one, await arrivals(activity, caller) as other:
        run = await ask_and_tell(activity, caller)
        assert await one.next(5) == await other.next(5) == [run]


async def test_one_that_leaves_while_another_comes_takes_nothing_away(transactional_db):
    """Joining a group waits for Redis where there is one."""
    joining = asyncio.Event()

    class Slow(Signals):
        async def join(self, group: str) -> None:
            await joining.wait()

    activity, found = Activity(Slow()), Conversation(pk="conv_1")
    one, other = (Arrivals(activity, found, 0, begun=begun) for _ in range(2))
    one._wake.clear()
    coming = asyncio.create_task(activity.watch(one))
    await asyncio.sleep(0)
    await activity.watch(other)
    await activity.unwatch(other)
    joining.set()
    await coming
    activity._wake({"conversation": "conv_1"})
    await asyncio.wait_for(one.wait(), 1)


async def test_a_lost_hint_loses_no_run(activity, caller, conversation):
    async with await arrivals(activity, caller) as watcher:
        await watcher.next(0.01)
        run = (await database_step(ask, caller, conversation_id="abc")).run
        await activity.poll()
        assert await watcher.next(0.01) == [run]


async def test_a_run_whose_log_has_not_begun_is_looked_for_again(activity, caller, conversation):
    has_log = False

    async def begun(run: Run) -> bool:
        return has_log

    found, _, position = await database_step(access.present, caller, "abc")
    async with Arrivals(activity, found, position, begun=begun) as watcher:
        run = (await database_step(ask, caller, conversation_id="abc")).run
        assert await watcher.next(0.01) == []
        has_log = True
        await activity.poll()
        assert await watcher.next(0.01) == [run]


async def test_a_conversation_that_is_deleted_unheard_is_found_to_be(
    activity, caller, conversation
):
    async with await arrivals(activity, caller) as watcher:
        await watcher.next(0.01)
        await database_step(Conversation.objects.all().delete)
        await activity.poll()
        with pytest.raises(ClawError) as raised:
            await watcher.next(0.01)
    assert raised.value.code == "conversation_not_found"


async def test_who_waits_in_vain_asks_the_database_nothing(activity, caller, conversation):
    """One statement for all of them, and nobody is woken by it."""
    watchers = [await arrivals(activity, caller) for _ in range(50)]
    async with AsyncExitStack() as stack:
        for watcher in watchers:
            await stack.enter_async_context(watcher)
            await watcher.next(0.01)
        captured = CaptureQueriesContext(connection)
        await database_step(captured.__enter__)
        await activity.poll()
        assert [await watcher.next(0) for watcher in watchers] == [[]] * 50
        await database_step(captured.__exit__, None, None, None)

    assert await database_step(len, captured) == 1


async def test_all_who_stand_at_one_place_look_together(activity, caller, conversation):
    watchers = [await arrivals(activity, caller) for _ in range(50)]
    run = (await database_step(ask, caller, conversation_id="abc")).run
    captured = CaptureQueriesContext(connection)
    await database_step(captured.__enter__)
    found = await asyncio.gather(*(watcher.look() for watcher in watchers))
    await database_step(captured.__exit__, None, None, None)

    assert found == [[run]] * 50
    assert await database_step(len, captured) == 1


async def test_runs_come_in_their_order_and_once(activity, caller, conversation):
    async with await arrivals(activity, caller) as watcher:
        runs = [await ask_and_tell(activity, caller) for _ in range(3)]
        assert await watcher.next(5) == runs
        last = await ask_and_tell(activity, caller)
        assert await watcher.next(5) == [last]


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
        waiting = asyncio.create_task(watcher.next(5))
        await asyncio.sleep(0)
        watcher.wake()
        assert await asyncio.wait_for(waiting, 1) == []


async def test_who_has_left_is_forgotten(activity, caller, conversation):
    for _ in range(3):
        async with await arrivals(activity, caller):
            assert activity._waiting
        assert not activity._waiting
