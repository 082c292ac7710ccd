import asyncio

import pytest

from engine.tools.clock import Clock


async def test_it_works() -> None:
    with pytest.raises(TimeoutError):
        async with Clock(0.01):
            await asyncio.Event().wait()


async def test_no_time_passes_while_it_is_stopped() -> None:
    async with Clock(0.05) as clock:
        with clock.stopped(), clock.stopped():
            await asyncio.sleep(0.1)
        await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        async with Clock(0.05) as clock:
            with clock.stopped():
                await asyncio.sleep(0.1)
            await asyncio.Event().wait()


async def test_a_stop_that_outlives_it_does_no_harm() -> None:
    clock = Clock(1)
    async with clock:
        stop = clock.stopped()
        stop.__enter__()
    stop.__exit__(None, None, None)
    with clock.stopped():
        pass


async def test_the_clock_around_it_stands_still_too() -> None:
    async with Clock(0.05) as outer, Clock(10, outer) as clock:
        with clock.stopped():
            await asyncio.sleep(0.1)
    with pytest.raises(TimeoutError):
        async with Clock(0.05) as outer, Clock(10, outer):
            await asyncio.Event().wait()
