"""`pipelines.sources.schedule`: the times, and what passed meanwhile."""

import time
from contextlib import aclosing

import pytest

from pipelines.sources.configs import Schedule, SourceProblem, check
from pipelines.sources.schedule import ScheduleSource


async def test_it_works():
    source = ScheduleSource(Schedule(every_ms=1000, item={"kind": "tick"}), "pipe_1")
    async with aclosing(source.items(None)) as reads:
        first, second = await anext(reads), await anext(reads)
    assert first.items == []
    assert second.position > first.position
    assert second.position % 1000 == 0
    (item,) = second.items
    assert item.id == f"pipe_1.{second.position}"
    assert item.data["kind"] == "tick"


async def test_times_that_have_passed_are_one_item():
    now = round(time.time() * 1000)
    source = ScheduleSource(Schedule(every_ms=60_000), "pipe_1")
    async with aclosing(source.items(now - 86_400_000)) as reads:
        read = await anext(reads)
    assert len(read.items) == 1
    assert now - 60_000 < read.position <= now + 1000


def test_cron_is_in_utc():
    source = ScheduleSource(Schedule(cron="0 9 * * *"), "pipe_1")
    assert source.following(1_800_000_000_000) == 1_800_003_600_000 + 0


@pytest.mark.parametrize(
    "config", [Schedule(), Schedule(cron="0 9 * * *", every_ms=1000), Schedule(cron="0 99 * * *")]
)
def test_what_is_no_schedule_is_refused(config):
    with pytest.raises(SourceProblem):
        check(config)
