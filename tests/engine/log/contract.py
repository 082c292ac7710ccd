"""What every log must do, whichever backend: subclass `LogContract` and give a `backend` fixture.

The tests use only the interface of `engine.log.base`, and flush before they expect to read.
"""

import asyncio
from contextlib import aclosing
from typing import Protocol

import pytest

from engine.events import Done, Metrics, Stamp, Status, Token, Tokens, Usage
from engine.log.base import (
    Entry,
    Fenced,
    Log,
    LogError,
    PositionAhead,
    StorageFailed,
    UnknownRun,
    Writer,
)

RUN = "run_1"
STAMP = Stamp(RUN, "conv_1", "msg_1")
USAGE = Usage(
    input_tokens=1,
    output_tokens=2,
    total_tokens=3,
    cost=None,
    model="demo",
    latency_ms=1,
    ttft_ms=None,
    tokens_per_second=None,
    source="provider",
)
DONE = Done(
    reason="complete",
    usage=USAGE,
    cost=None,
    metrics=Metrics(ttft_ms=None, total_ms=1, token_count=0, tokens_per_second=None),
    digest="sha256:",
    length=0,
)
SIZES = (1, 90, 7, 2000, 40, 1, 100_000, 300, 20_000, 3)  # of tokens, over and over


class Backend(Protocol):
    """A log under test."""

    log: Log

    async def after_retention(self) -> None:
        """Let the retention of all finished runs pass."""


class DurableBackend(Backend, Protocol):
    """One whose events outlive the process."""

    async def reopen(self) -> None:
        """Make `log` what a new process would have."""


def token(index: int, size: int = 5) -> Token:
    return Token(content="x" * size, index=index)


async def write(writer: Writer, count: int, *, done: bool = False) -> None:
    """Append `count` tokens of mixed sizes, and perhaps `done`; flushed now and then."""
    for index in range(count):
        writer.append(token(index, SIZES[index % len(SIZES)]))
        if index % 50 == 49:
            await writer.flush()
    if done:
        writer.append(DONE)
    await writer.flush()


async def page(log: Log, run_id: str = RUN, after: int = 0) -> list[Entry]:
    """All events after `after`, read batch by batch."""
    entries: list[Entry] = []
    while batch := await log.read(run_id, entries[-1].seq if entries else after):
        entries += batch
    return entries


async def watch(log: Log, run_id: str = RUN, after: int = 0) -> list[Entry]:
    """All events after `after`, followed to the end."""
    async with asyncio.timeout(20), aclosing(log.follow(run_id, after)) as batches:
        return [entry async for batch in batches for entry in batch]


def seqs(entries: list[Entry]) -> list[int]:
    return [entry.seq for entry in entries]


class LogContract:
    async def test_it_works(self, backend: Backend) -> None:
        writer = backend.log.writer(STAMP, 1)
        assert writer.append(Status(message="Thinking", stage="model")) == 1
        assert writer.append(token(0)) == 2
        assert writer.append(DONE) == 3
        await writer.flush()
        entries = await watch(backend.log)
        assert entries == [
            Entry(1, "status", STAMP.seal(Status(message="Thinking", stage="model"), 1)),
            Entry(2, "token", STAMP.seal(token(0), 2)),
            Entry(3, "done", STAMP.seal(DONE, 3)),
        ]
        assert await backend.log.last(RUN) == entries[-1]

    async def test_seqs_are_gapless_from_one(self, backend: Backend) -> None:
        writer = backend.log.writer(STAMP, 1)
        assert writer.seq == 0
        assert [writer.append(token(i)) for i in range(100)] == list(range(1, 101))
        await writer.flush()
        assert writer.seq == 100
        assert seqs(await page(backend.log)) == list(range(1, 101))

    async def test_readers_follow_while_it_is_written(self, backend: Backend) -> None:
        writer = backend.log.writer(STAMP, 1)
        await write(writer, 10)
        watchers = [asyncio.create_task(watch(backend.log, after=n)) for n in (0, 3, 10)]
        for index in range(10, 200):
            writer.append(token(index))
            await asyncio.sleep(0)
        writer.append(DONE)
        await writer.flush()
        whole = await page(backend.log)
        assert seqs(whole) == list(range(1, 202))
        assert await asyncio.gather(*watchers) == [whole, whole[3:], whole[10:]]

    async def test_events_that_arrived_together_are_stored_in_order(self, backend: Backend) -> None:
        writer = backend.log.writer(STAMP, 1)
        await write(writer, 2)
        watcher = asyncio.create_task(watch(backend.log))
        await asyncio.sleep(0)
        assert writer.extend([token(index) for index in range(2, 50)]) == writer.seq == 50
        writer.append(DONE)
        await writer.flush()
        whole = await page(backend.log)
        assert seqs(whole) == list(range(1, 52))
        assert await watcher == whole

    async def test_tokens_that_arrived_together_are_an_event_each(self, backend: Backend) -> None:
        writer = backend.log.writer(STAMP, 1)
        await write(writer, 2)
        watcher = asyncio.create_task(watch(backend.log))
        await asyncio.sleep(0)
        said = Status(message="Thinking", stage="model")
        assert writer.extend([Tokens(["a", '\u00e9"\n'], 2), said, Tokens(["b"], 4)]) == 6
        writer.append(DONE)
        await writer.flush()
        whole = await page(backend.log)
        alone = [Token(content=text, index=n) for n, text in enumerate(["a", '\u00e9"\n'], 2)]
        events = [*alone, said, Token(content="b", index=4)]
        assert whole[2:-1] == [
            Entry(seq, event.type, STAMP.seal(event, seq)) for seq, event in enumerate(events, 3)
        ]
        assert await watcher == whole

    async def test_a_cancelled_reader_does_not_disturb_the_others(self, backend: Backend) -> None:
        writer = backend.log.writer(STAMP, 1)
        await write(writer, 1)
        going, stays = (asyncio.create_task(watch(backend.log)) for _ in range(2))
        await asyncio.sleep(0.01)  # both wait for an event
        going.cancel()
        writer.append(DONE)
        await writer.flush()
        assert len(await stays) == 2
        with pytest.raises(asyncio.CancelledError):
            await going

    async def test_a_slow_reader_catches_up_in_batches(self, backend: Backend) -> None:
        writer = backend.log.writer(STAMP, 1)
        await write(writer, 1)
        async with aclosing(backend.log.follow(RUN)) as batches:
            assert seqs(await anext(batches)) == [1]
            for index in range(2000):
                writer.append(token(index))
            writer.append(DONE)
            await writer.flush()
            rest = [batch async for batch in batches]
        assert seqs([entry for batch in rest for entry in batch]) == list(range(2, 2003))
        assert 2 <= len(rest) < 50

    async def test_a_batch_is_bounded(self, backend: Backend) -> None:
        await write(backend.log.writer(STAMP, 1), 300, done=True)
        async with aclosing(backend.log.follow(RUN)) as batches:
            async for batch in batches:
                assert len(batch) == 1 or sum(len(e.data) for e in batch) <= 64 * 1024

    async def test_p2_it_resumes_from_every_seq(self, backend: Backend) -> None:
        await write(backend.log.writer(STAMP, 1), 300, done=True)
        whole = await watch(backend.log)
        assert seqs(whole) == list(range(1, 302))
        for after in range(302):
            assert (await backend.log.read(RUN, after))[:1] == whole[after : after + 1]
        for after in (*range(0, 301, 13), 300, 301):
            assert await watch(backend.log, after=after) == whole[after:]
            assert await page(backend.log, after=after) == whole[after:]

    async def test_what_was_read_once_is_read_again(self, backend: Backend) -> None:
        writer = backend.log.writer(STAMP, 1)
        await write(writer, 300)
        early = await page(backend.log)
        await write(writer, 300, done=True)
        assert (await page(backend.log))[:300] == early

    async def test_a_reader_at_the_position_of_done_ends(self, backend: Backend) -> None:
        await write(backend.log.writer(STAMP, 1), 2, done=True)
        assert await watch(backend.log, after=3) == []
        assert await backend.log.read(RUN, 3) == []

    async def test_p3_a_position_ahead_is_refused(self, backend: Backend) -> None:
        await write(backend.log.writer(STAMP, 1), 2)
        assert await backend.log.read(RUN, 2) == []
        with pytest.raises(PositionAhead):
            await backend.log.read(RUN, 3)
        with pytest.raises(PositionAhead):
            await watch(backend.log, after=3)

    async def test_an_unknown_run_is_refused(self, backend: Backend) -> None:
        with pytest.raises(UnknownRun):
            await backend.log.read("run_none")
        with pytest.raises(UnknownRun):
            await watch(backend.log, "run_none")
        assert await backend.log.last("run_none") is None
        await backend.log.erase("run_none")

    async def test_runs_do_not_mix(self, backend: Backend) -> None:
        writers = [backend.log.writer(Stamp(f"run_{n}", "c", "m"), 1) for n in range(3)]
        for index in range(50):
            for n, writer in enumerate(writers):
                writer.append(Token(content=f"of {n}", index=index))
        for n, writer in enumerate(writers):
            await writer.flush()
            entries = await page(backend.log, f"run_{n}")
            assert len(entries) == 50
            assert all(b'"of %d"' % n in entry.data for entry in entries)

    async def test_a_higher_attempt_goes_on_and_fences(self, backend: Backend) -> None:
        old = backend.log.writer(STAMP, 1)
        await write(old, 3)
        new = backend.log.writer(STAMP, 2)
        assert new.seq == 3
        with pytest.raises(Fenced):
            old.append(token(99))
            await old.flush()
        with pytest.raises(Fenced):
            await old.flush()
        assert new.append(DONE) == 4
        await new.flush()
        assert seqs(await watch(backend.log)) == [1, 2, 3, 4]
        assert all(b'"index":99' not in entry.data for entry in await page(backend.log))

    async def test_an_attempt_holds_a_run_once(self, backend: Backend) -> None:
        backend.log.writer(STAMP, 2).append(token(0))
        for attempt in (0, 1, 2):
            with pytest.raises(Fenced):
                writer = backend.log.writer(STAMP, attempt)
                writer.append(token(1))
                await writer.flush()

    async def test_acceptance_may_write_again(self, backend: Backend) -> None:
        first = backend.log.writer(STAMP, 0)
        first.append(token(0))
        await first.flush()
        again = backend.log.writer(STAMP, 0)
        assert again.append(DONE) == 2
        await again.flush()
        assert len(await watch(backend.log)) == 2

    async def test_nothing_follows_done(self, backend: Backend) -> None:
        writer = backend.log.writer(STAMP, 1)
        writer.append(DONE)
        await writer.flush()
        with pytest.raises(LogError):
            writer.append(token(0))
        with pytest.raises(LogError):
            backend.log.writer(STAMP, 2).append(token(0))
        await writer.flush()
        assert seqs(await page(backend.log)) == [1]

    async def test_erase_ends_readers_and_the_writer(self, backend: Backend) -> None:
        writer = backend.log.writer(STAMP, 1)
        await write(writer, 3)
        waiting = asyncio.create_task(watch(backend.log))
        await asyncio.sleep(0.01)  # it has read what there is
        await backend.log.erase(RUN)
        with pytest.raises(UnknownRun):
            await waiting
        with pytest.raises(UnknownRun):
            await backend.log.read(RUN)
        with pytest.raises(Fenced):
            writer.append(token(0))
            await writer.flush()
        assert await backend.log.last(RUN) is None

    async def test_who_waits_for_more_when_it_is_closed_is_told(self, backend: Backend) -> None:
        writer = backend.log.writer(STAMP, 1)
        await write(writer, 3)
        async with asyncio.timeout(20), aclosing(backend.log.follow(RUN)) as batches:
            await anext(batches)
            waiting = asyncio.ensure_future(anext(batches))
            await asyncio.sleep(0)
            await backend.log.aclose()
            with pytest.raises(StorageFailed):
                await waiting

    async def test_finished_runs_go_after_their_retention(self, backend: Backend) -> None:
        await write(backend.log.writer(STAMP, 1), 300, done=True)
        running = backend.log.writer(Stamp("run_2", "c", "m"), 1)
        await write(running, 3)
        await backend.log.sweep()
        async with aclosing(backend.log.follow(RUN)) as batches:
            got = seqs(await anext(batches))
            await backend.after_retention()
            await backend.log.sweep()
            with pytest.raises(UnknownRun):
                async for batch in batches:
                    got += seqs(batch)
        assert got == list(range(1, len(got) + 1))
        assert await backend.log.last(RUN) is None
        assert running.append(token(3)) == 4
        await running.flush()
        assert len(await page(backend.log, "run_2")) == 4

    async def test_a_released_run_goes_on_in_a_later_attempt(self, backend: Backend) -> None:
        writer = backend.log.writer(STAMP, 1)
        await write(writer, 3)
        watcher = asyncio.create_task(watch(backend.log))
        writer.release()
        with pytest.raises(LogError):
            writer.append(token(3))
        with pytest.raises(Fenced):
            backend.log.writer(STAMP, 1)
        assert seqs(await page(backend.log)) == [1, 2, 3]

        later = backend.log.writer(STAMP, 2)
        await later.flush()
        writer.release()  # too late: it changes nothing
        await write(later, 2, done=True)
        assert seqs(await watcher) == [1, 2, 3, 4, 5, 6]


class DurableLogContract(LogContract):
    """What a log that outlives its process must do besides."""

    async def test_a_new_process_finds_everything(self, backend: DurableBackend) -> None:
        writer = backend.log.writer(STAMP, 1)
        await write(writer, 300)
        before = await page(backend.log)
        await backend.reopen()
        assert await page(backend.log) == before
        watcher = asyncio.create_task(watch(backend.log, after=250))
        again = backend.log.writer(STAMP, 2)
        assert again.append(token(300)) == 301
        again.append(DONE)
        await again.flush()
        assert seqs(await watcher) == list(range(251, 303))
        await backend.reopen()
        assert (await page(backend.log))[:300] == before
        assert seqs(await watch(backend.log)) == list(range(1, 303))
