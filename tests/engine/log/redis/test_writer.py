"""A writer keeps what Redis has not confirmed, within bounds, and ends for good."""

import asyncio

import pytest

from engine.events import Stamp
from engine.log.base import Fenced, HistoryLost, LogError, StorageFailed
from engine.log.redis import writer as redis_writer
from engine.log.redis.run import RedisRun
from engine.log.redis.scripts import ERROR, FENCED, FINISHED, LOST, OK
from engine.log.redis.writer import BUFFER_BYTES, PENDING_BYTES, RedisWriter
from tests.engine.log.contract import DONE, RUN, STAMP, seqs, token


class Basket:
    """A carrier that only notes who has something to send."""

    def __init__(self) -> None:
        self.buffered = 0
        self.marked: list[RedisWriter] = []

    def mark(self, writer: RedisWriter) -> None:
        self.marked.append(writer)

    def drop(self, writer: RedisWriter) -> None:
        self.marked.clear()


@pytest.fixture
def basket() -> Basket:
    return Basket()


@pytest.fixture
def writer(basket: Basket) -> RedisWriter:
    """One that has taken its run, which is empty."""
    writer = RedisWriter(basket, RedisRun(RUN), STAMP, 1)
    writer.settle(0, OK, 0)
    return writer


def lines(first: int, last: int) -> list[bytes]:
    return [STAMP.seal(token(n), n) for n in range(first, last + 1)]


def append(writer: RedisWriter, first: int, last: int) -> None:
    for n in range(first, last + 1):
        writer.append(token(n))


async def test_it_works(writer: RedisWriter, basket: Basket) -> None:
    append(writer, 1, 3)
    assert basket.marked == [writer]
    assert writer.turn() == lines(1, 3)
    text = [line.decode() for line in lines(1, 3)]
    assert writer.request(writer.turn()) == (1, writer.token, False, 1, text)
    flushed = asyncio.create_task(writer.flush())
    await asyncio.sleep(0)
    writer.settle(3, OK, 3)
    await flushed
    assert writer.turn() == []
    assert basket.buffered == 0
    assert seqs(writer.run.read(0)) == [1, 2, 3]


def test_followers_get_only_what_is_confirmed(writer: RedisWriter) -> None:
    append(writer, 1, 3)
    writer.settle(2, OK, 2)
    assert seqs(writer.run.read(0)) == [1, 2]
    assert writer.turn() == lines(3, 3)


def test_the_run_is_taken_where_it_ends(basket: Basket) -> None:
    writer = RedisWriter(basket, RedisRun(RUN), STAMP, 2)
    writer.settle(0, OK, 41)
    assert writer.append(DONE) == 42


def test_events_for_another_end_are_fenced(basket: Basket) -> None:
    writer = RedisWriter(basket, RedisRun(RUN), STAMP, 2)
    writer.append(token(1))  # while the answer to the claim is under way
    writer.settle(0, OK, 41)
    with pytest.raises(Fenced):
        writer.append(token(2))


def test_a_lost_answer_is_made_good_by_the_next(writer: RedisWriter) -> None:
    append(writer, 1, 5)
    writer.settle(1, OK, 3)  # Redis has had the others already
    assert writer.turn() == lines(4, 5)
    assert seqs(writer.run.read(0)) == [1, 2, 3]


def test_what_redis_lost_is_sent_again(writer: RedisWriter, basket: Basket) -> None:
    append(writer, 1, 5)
    writer.settle(5, OK, 5)
    append(writer, 6, 6)
    writer.settle(1, LOST, 2)
    assert writer.turn() == lines(3, 6)
    assert basket.buffered == sum(map(len, lines(3, 6)))
    writer.settle(4, OK, 6)
    assert seqs(writer.run.read(0)) == [1, 2, 3, 4, 5, 6]


def test_what_nobody_has_any_more_is_lost_history(writer: RedisWriter) -> None:
    writer.run.limit = 500
    append(writer, 1, 100)
    writer.settle(100, OK, 100)
    writer.settle(0, LOST, 2)
    assert writer.run.failed is HistoryLost
    with pytest.raises(StorageFailed):
        writer.append(token(101))


@pytest.mark.parametrize("status", [FENCED, FINISHED])
async def test_it_ends_when_the_run_is_not_its_own(
    writer: RedisWriter, basket: Basket, status: int
) -> None:
    append(writer, 1, 3)
    flushed = asyncio.create_task(writer.flush())
    await asyncio.sleep(0)
    writer.settle(3, status, 7)
    with pytest.raises(Fenced):
        await flushed
    with pytest.raises(Fenced):
        append(writer, 4, 4)
    assert writer.turn() == []
    assert basket.buffered == 0


def test_after_an_error_it_waits_for_the_sender_to_look(
    writer: RedisWriter, basket: Basket
) -> None:
    append(writer, 1, 3)
    basket.marked.clear()
    writer.settle(3, ERROR, 0)
    assert basket.marked == []
    assert writer.turn() == lines(1, 3)


def test_nothing_follows_done(writer: RedisWriter) -> None:
    writer.append(DONE)
    with pytest.raises(LogError):
        append(writer, 2, 2)
    writer.settle(1, OK, 1)
    assert writer.run.finished


def test_what_waits_is_bounded_for_a_run(writer: RedisWriter, basket: Basket) -> None:
    with pytest.raises(StorageFailed):
        for n in range(1, 10):
            writer.append(token(n, PENDING_BYTES // 5))
    assert writer.seq == 4
    assert basket.buffered == 0


def test_what_waits_is_bounded_for_all(writer: RedisWriter, basket: Basket) -> None:
    basket.buffered = BUFFER_BYTES
    with pytest.raises(StorageFailed):
        writer.append(token(1))
    assert basket.buffered == BUFFER_BYTES


def test_a_run_in_redis_is_bounded(writer: RedisWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_writer, "RUN_BYTES", 300)
    with pytest.raises(StorageFailed):
        for n in range(1, 10):
            append(writer, n, n)
            writer.settle(1, OK, n)
    assert 1 <= writer.run.seq < 9


async def test_a_flush_waits_no_longer_than_its_patience(
    writer: RedisWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_writer, "PATIENCE", 0.05)
    append(writer, 1, 3)
    with pytest.raises(StorageFailed):
        await writer.flush()
    with pytest.raises(StorageFailed):
        append(writer, 4, 4)


def test_a_second_acceptance_ends_the_first(basket: Basket) -> None:
    writer = RedisWriter(basket, RedisRun(RUN), Stamp(RUN, "c", "m"), 0)
    writer.settle(0, OK, 0)
    writer.settle(0, OK, 1)  # the other has written
    with pytest.raises(Fenced):
        append(writer, 1, 1)
