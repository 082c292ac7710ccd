"""`core.tasks.batching`: what comes while a step runs goes into the next one, together."""

import asyncio
import time
from collections.abc import Callable
from contextvars import ContextVar

import pytest

from core.tasks import batching
from core.tasks.batching import Batcher, at_most
from engine.errors import Unavailable

MARK = ContextVar("MARK", default="none")


class Steps:
    """Doubles numbers; every step waits until it is let go, and negative ones are refused."""

    def __init__(self, most: int = 10, owner: Callable[[int], str] = lambda item: "") -> None:
        self.groups: list[list[int]] = []
        self.free = asyncio.Event()
        self.error: Exception | None = None
        self.batcher: Batcher[int, int] = Batcher(self._step, at_most(most), owner)

    async def _step(self, items: list[int]) -> list[int | Exception]:
        self.groups.append(items)
        await self.free.wait()
        if self.error is not None:
            raise self.error
        if 0 in items:
            raise ZeroDivisionError
        return [item * 2 if item > 0 else ValueError(item) for item in items]

    async def all(self, *items: int) -> list[int | BaseException]:
        """What each is answered; the first has begun alone."""
        first = asyncio.create_task(self.batcher.do(items[0]))
        await asyncio.sleep(0)  # it is given
        await asyncio.sleep(0)  # and begun
        rest = [asyncio.create_task(self.batcher.do(item)) for item in items[1:]]
        await asyncio.sleep(0)
        self.free.set()
        return await asyncio.gather(first, *rest, return_exceptions=True)


@pytest.fixture
def rest(monkeypatch: pytest.MonkeyPatch) -> float:
    """A rest that no busy machine ends too early."""
    monkeypatch.setattr(batching, "GATHER_SECONDS", 0.3)
    monkeypatch.setattr(batching, "MAX_GATHER_SECONDS", 0.3)
    return 0.3


async def test_it_works():
    steps = Steps()
    assert await steps.all(1, 2, 3, 4) == [2, 4, 6, 8]
    assert steps.groups == [[1], [2, 3, 4]]


async def test_no_step_has_more_than_is_counted():
    steps = Steps(most=2)
    assert await steps.all(1, 2, 3, 4) == [2, 4, 6, 8]
    assert steps.groups == [[1], [2, 3], [4]]


async def test_what_comes_soon_after_a_step_goes_into_one_step(rest: float):
    steps = Steps()
    steps.free.set()
    assert await steps.batcher.do(1) == 2
    assert await asyncio.gather(*map(steps.batcher.do, (2, 3))) == [4, 6]
    assert steps.groups == [[1], [2, 3]]


async def test_a_full_step_waits_for_no_rest(rest: float):
    steps = Steps(most=1)
    begun = time.monotonic()
    await steps.all(*range(1, 101))
    assert time.monotonic() - begun < 100 * rest


async def test_an_item_s_own_error_is_raised_to_its_caller():
    steps = Steps()
    first, refused, last = await steps.all(1, -2, 3)
    assert (first, type(refused), last) == (2, ValueError, 6)
    assert steps.groups == [[1], [-2, 3]]


async def test_a_step_that_fails_is_split_down_to_the_item_that_fails():
    steps = Steps()
    results = await steps.all(1, 2, 3, 4, 0, 5, 6, 7, 8)
    assert [type(result) for result in results].count(ZeroDivisionError) == 1
    assert [result for result in results if isinstance(result, int)] == [2, 4, 6, 8, 10, 12, 14, 16]
    assert steps.groups[2:] == [[2, 3, 4, 0], [2, 3], [4, 0], [4], [0], [5, 6, 7, 8]]


async def test_a_flood_of_one_owner_delays_only_that_owner():
    steps = Steps(most=2, owner=lambda item: "crowd" if item < 10 else str(item))
    await steps.all(1, 2, 3, 4, 5, 10, 11)
    assert steps.groups == [[1], [2, 10], [11, 3], [4, 5]]


async def test_where_nothing_answers_nobody_is_tried_alone():
    steps = Steps()
    steps.error = Unavailable("Try again soon.")
    assert await steps.all(1, 2, 3) == [steps.error] * 3
    assert steps.groups == [[1], [2, 3]]


async def test_a_caller_that_goes_away_takes_nothing_back():
    steps = Steps()
    task = asyncio.create_task(steps.batcher.do(1))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    steps.free.set()
    await steps.batcher.aclose()

    assert steps.groups == [[1]]
    assert await steps.batcher.do(2) == 4


async def test_a_step_has_nothing_of_its_callers():
    async def step(items: list[int]) -> list[str]:
        return [MARK.get() for _ in items]

    MARK.set("a request's")
    assert await Batcher(step, len).do(1) == "none"
