"""What every `Limits` promises: a backend's tests import it all and bring the fixture `limits`."""

import asyncio

from conversations.limits.base import DAY, Window


async def test_it_works(limits):
    assert await limits.acquire("socket:a", 1)
    assert not await limits.acquire("socket:a", 1)
    await limits.release("socket:a")
    assert await limits.acquire("socket:a", 1)
    assert await limits.admit(Window("key:a", 1)) == 0
    assert 59_000 < await limits.admit(Window("key:a", 1)) <= 60_000


async def test_p17_thirty_are_served_and_the_next_is_told_when(limits):
    waits = await asyncio.gather(*(limits.admit(Window("a", 30)) for _ in range(40)))
    assert sorted(waits)[:30] == [0] * 30
    assert all(0 < wait <= 60_000 for wait in sorted(waits)[30:])


async def test_a_changed_limit_holds_at_once(limits):
    await limits.admit(Window("a", 1))
    assert await limits.admit(Window("a", 2)) == 0
    assert await limits.admit(Window("a", 1)) > 0


async def test_names_do_not_share(limits):
    assert await limits.acquire("a", 1) and await limits.acquire("b", 1)
    assert await limits.admit(Window("a", 1)) == await limits.admit(Window("b", 1)) == 0


async def test_p17_slots_are_exact(limits):
    for _ in range(2):
        taken = await asyncio.gather(*(limits.acquire("a", 100) for _ in range(130)))
        assert sum(taken) == 100
        await asyncio.gather(*(limits.release("a") for _ in range(100)))


async def test_several_windows_count_all_or_none(limits):
    own, shared = Window("own", 1), Window("shared", 2)
    assert await limits.admit(own, shared) == 0
    for _ in range(5):  # refused by its own window, it takes nothing of the shared one
        assert await limits.admit(own, shared) > 0
    assert await limits.admit(Window("other", 1), shared) == 0
    for _ in range(5):
        assert await limits.admit(Window("third", 1), shared) > 0
    assert await limits.admit(Window("third", 1)) == 0


async def test_a_window_may_be_a_day(limits):
    assert await limits.admit(Window("day", 1, DAY)) == 0
    assert 86_000_000 < await limits.admit(Window("day", 1, DAY), Window("b", 1)) <= 86_400_000


async def test_shared_windows_are_exact(limits):
    asking = (limits.admit(Window(f"v{n % 4}", 20), Window("all", 30)) for n in range(100))
    waits = await asyncio.gather(*asking)
    assert waits.count(0) == 30
