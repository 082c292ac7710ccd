"""`conversations.feed.closing`: the end of a run is told though its process died."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from agents.caller import Caller
from conversations.feed import closing
from conversations.feed.closing import Closing
from conversations.feed.runs import RunFeed
from tests.conversations.feed.told import Told
from tests.conversations.parts import QUICK, Parts


class Killed(RunFeed):
    """Its process is killed when a run ends."""

    def close(self, *_: object) -> None:
        """Nobody hears of it."""


@pytest.fixture
async def parts(tmp_path: Path, told: Told) -> AsyncIterator[Parts]:
    async with Parts(tmp_path / "runs", Killed(told.feed)) as parts:
        yield parts


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closing, "SETTLED", timedelta(0))


async def test_an_end_that_nobody_told_is_told_once(
    parts: Parts, told: Told, caller: Caller
) -> None:
    run = await parts.ended(await parts.start(caller, QUICK))
    await told.until(run, "run:status_changed", 2)
    assert await told.feed.store.unclosed() == [run.pk]
    for _ in range(2):  # as two processes would
        await Closing(told.feed.store, RunFeed(told.feed)).sweep()
    messages = await told.until(run, "run:completed")
    assert messages[-1]["result"]["reason"] == "complete"
    assert await told.feed.store.unclosed() == []
    assert [message["type"] for message in await told.all(run)].count("run:completed") == 1


async def test_a_run_that_goes_on_is_left_open(parts: Parts, told: Told, caller: Caller) -> None:
    waits = await parts.accept(caller, QUICK)
    parts.observers.accepted(waits)
    await told.until(waits, "run:started")
    await Closing(told.feed.store, RunFeed(told.feed)).sweep()
    assert [message["type"] for message in await told.all(waits)] == ["run:started"]
