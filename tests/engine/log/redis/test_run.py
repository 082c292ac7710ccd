"""What a process is told of a run in Redis, in any order, makes one gapless window."""

import asyncio

import pytest

from engine.events import Stamp
from engine.log.base import HistoryLost
from engine.log.redis.run import RedisRun
from tests.engine.log.contract import DONE, RUN, STAMP, seqs, token


def lines(first: int, last: int, stamp: Stamp = STAMP) -> list[bytes]:
    return [stamp.seal(token(n), n) for n in range(first, last + 1)]


@pytest.fixture
def run() -> RedisRun:
    """A run that is subscribed, and ends at 3 in Redis."""
    run = RedisRun(RUN)
    run.subscribe(True)
    run.learn(1, 3, False)
    return run


def test_it_works(run: RedisRun) -> None:
    assert run.holds(3) and not run.holds(2)
    run.take(1, 4, lines(4, 6))
    assert seqs(run.read(3)) == [4, 5, 6]
    run.take(1, 7, [STAMP.seal(DONE, 7)])
    assert run.finished


def test_what_is_known_is_dropped(run: RedisRun) -> None:
    run.take(1, 4, lines(4, 6))
    run.take(1, 2, lines(2, 5))
    run.take(1, 5, lines(5, 8))
    assert seqs(run.read(3)) == [4, 5, 6, 7, 8]


def test_after_a_gap_followers_ask_redis(run: RedisRun) -> None:
    run.take(1, 4, lines(4, 5))
    run.take(1, 9, lines(9, 9))
    assert not run.holds(5)
    assert run.holds(8)
    assert seqs(run.read(8)) == [9]


def test_without_a_subscription_followers_ask_redis(run: RedisRun) -> None:
    run.take(1, 4, lines(4, 4))
    run.subscribe(False)
    assert not run.holds(4)
    run.subscribe(True)
    assert not run.holds(4)  # something may have been published in between
    run.learn(1, 6, False)
    assert run.holds(6) and not run.holds(4)


def test_redis_may_be_behind_what_was_told(run: RedisRun) -> None:
    run.take(1, 4, lines(4, 6))
    run.learn(1, 5, False)
    assert run.seq == 6


def test_the_writer_here_tells_everything() -> None:
    run = RedisRun(RUN)
    run.feed(2)
    assert run.holds(2)
    run.take(1, 3, lines(3, 3))
    run.subscribe(False)  # whatever the subscription does
    assert seqs(run.read(2)) == [3]
    run.starve()
    assert not run.holds(2)


async def test_an_attempt_that_writes_over_what_was_seen_is_lost_history(run: RedisRun) -> None:
    run.take(1, 4, lines(4, 6))
    waiting = asyncio.create_task(run.news())
    await asyncio.sleep(0)
    run.take(2, 5, lines(5, 5, Stamp(RUN, "conv_1", "msg_2")))
    await waiting
    assert run.failed is HistoryLost


def test_the_lines_after_a_position_are_all_or_none(run: RedisRun) -> None:
    run.take(1, 4, lines(4, 6))
    assert run.lines_after(4) == lines(5, 6)
    assert run.lines_after(6) == []
    assert run.lines_after(2) is None
