"""`conversations.limits.memory`: exact counts of one process."""

import pytest

from conversations.limits import memory
from conversations.limits.base import MINUTE, Window
from conversations.limits.memory import MemoryLimits
from tests.conversations.limits.contract import *  # noqa: F403 - the suite


class Clock:
    """`time`, as the module sees it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(memory, "time", clock)
    return clock


@pytest.fixture
def limits(clock: Clock) -> MemoryLimits:
    return MemoryLimits()


async def test_p17_the_next_is_served_when_a_minute_is_over(clock):
    limits = MemoryLimits()
    for _ in range(30):
        assert await limits.admit(Window("a", 30)) == 0
        clock.now += 1
    wait = await limits.admit(Window("a", 30))
    assert 0 < wait <= 60_000

    clock.now += wait / 1000 - 0.002
    assert await limits.admit(Window("a", 30)) > 0
    clock.now += 0.002
    assert await limits.admit(Window("a", 30)) == 0
    assert await limits.admit(Window("a", 30)) == 1000  # the window slides: one place a second


async def test_what_is_refused_is_not_counted(clock):
    limits = MemoryLimits()
    await limits.admit(Window("a", 1))
    for _ in range(100):
        assert await limits.admit(Window("a", 1)) > 0
    clock.now += MINUTE
    assert await limits.admit(Window("a", 1)) == 0


async def test_memory_is_bounded(clock, monkeypatch):
    monkeypatch.setattr(memory, "MAX_WINDOWS", 3)
    limits = MemoryLimits()
    for name in "abc":
        await limits.admit(Window(name, 1))
    assert await limits.admit(Window("a", 1)) > 0  # used again: `b` is now the longest unused
    await limits.admit(Window("d", 1))
    assert await limits.admit(Window("a", 1)) > 0
    assert await limits.admit(Window("b", 1)) == 0
