"""Whatever is done to a log in whatever order, it holds what a plain list would."""

import asyncio
import tempfile
from contextlib import aclosing

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from engine.events import Event, Stamp
from engine.log.base import Entry, Fenced, PositionAhead
from engine.log.file import FileLog
from engine.log.local import LocalLog
from engine.log.memory import MemoryLog
from tests.engine.log.contract import DONE, page, seqs, token

SLOTS = st.sampled_from(["a", "b"])  # of runs: an id is never used twice
RETENTION = 600


class Model:
    """A run as it should be."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.attempt = 0
        self.ended_at: float | None = None


class LogMachine(RuleBasedStateMachine):
    """Both logs do the same things; both must hold what the model holds."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.now = 0.0
        self.models: dict[str, Model] = {}
        self.gone: set[str] = set()
        self.forgotten = 0  # makes the ids of the next runs
        self.memory = MemoryLog(retention=RETENTION, clock=self.clock)
        self.file = self.open()

    def clock(self) -> float:
        return self.now

    def open(self) -> FileLog:
        return FileLog(self.folder.name, retention=RETENTION, tail_bytes=500, clock=self.clock)

    @property
    def logs(self) -> tuple[LocalLog, LocalLog]:
        return self.memory, self.file

    def run_id(self, slot: str) -> str:
        return f"run_{slot}{self.forgotten}"

    def write(self, slot: str, events: list[Event]) -> None:
        """A new attempt appends `events`; the one before it is fenced."""
        run_id = self.run_id(slot)
        model = self.models.setdefault(run_id, Model())
        if model.ended_at is not None:
            return
        model.attempt += 1
        stamp = Stamp(run_id, "c", "m")
        start = len(model.entries)
        sealed = [
            Entry(start + n, e.type, stamp.seal(e, start + n)) for n, e in enumerate(events, 1)
        ]
        for log in self.logs:
            old = log.writer(stamp, model.attempt * 2 - 1)
            writer = log.writer(stamp, model.attempt * 2)
            with pytest.raises(Fenced):
                old.append(DONE)
            assert [writer.append(event) for event in events] == seqs(sealed)
        model.entries += sealed
        if events[-1] is DONE:
            model.ended_at = self.now

    @rule(slot=SLOTS, sizes=st.lists(st.sampled_from([1, 50, 400, 9000]), min_size=1, max_size=30))
    def append(self, slot: str, sizes: list[int]) -> None:
        self.write(slot, [token(n, size) for n, size in enumerate(sizes)])

    @rule(slot=SLOTS)
    def end(self, slot: str) -> None:
        self.write(slot, [DONE])

    @rule(slot=SLOTS, part=st.floats(0, 1))
    def follow(self, slot: str, part: float) -> None:
        run_id = self.run_id(slot)
        if run_id not in self.models:
            return
        expected = self.models[run_id].entries
        after = int(part * len(expected))

        async def follow(log: LocalLog) -> list[Entry]:
            got: list[Entry] = []
            async with asyncio.timeout(5), aclosing(log.follow(run_id, after)) as batches:
                while len(got) < len(expected) - after:
                    got += await anext(batches)
            return got

        for log in self.logs:
            assert self.loop.run(follow(log)) == expected[after:]

    @rule()
    def restart(self) -> None:
        self.loop.run(self.file.aclose())
        self.file = self.open()
        running = [run_id for run_id, model in self.models.items() if model.ended_at is None]
        assert sorted(self.file.unfinished()) == sorted(running)
        # Files carry the real time of their end; go on with the time of this test.
        self.file._ended.clear()
        self.file._ended.extend(
            sorted((m.ended_at, r) for r, m in self.models.items() if m.ended_at is not None)
        )

    @rule(slot=SLOTS)
    def erase(self, slot: str) -> None:
        run_id = self.run_id(slot)
        self.forget(run_id)
        for log in self.logs:
            self.loop.run(log.erase(run_id))

    @rule(seconds=st.sampled_from([1, RETENTION / 2, RETENTION + 1]))
    def sweep(self, seconds: float) -> None:
        self.now += seconds
        for run_id, model in list(self.models.items()):
            if model.ended_at is not None and model.ended_at <= self.now - RETENTION:
                self.forget(run_id)
        for log in self.logs:
            self.loop.run(log.sweep())

    def forget(self, run_id: str) -> None:
        """The run is gone; both slots go on with fresh ids, the other's old run stays."""
        if self.models.pop(run_id, None):
            self.gone.add(run_id)
            self.forgotten += 1

    @invariant()
    def both_hold_the_model(self) -> None:
        for log in self.logs:
            self.loop.run(self.check(log))

    async def check(self, log: LocalLog) -> None:
        for run_id in self.gone:
            assert await log.last(run_id) is None
        for run_id, model in self.models.items():
            assert await log.last(run_id) == model.entries[-1]
            assert await page(log, run_id) == model.entries
            with pytest.raises(PositionAhead):
                await log.read(run_id, len(model.entries) + 1)

    def teardown(self) -> None:
        self.loop.run(self.file.aclose())
        self.loop.close()
        self.folder.cleanup()


LogMachine.TestCase.settings = settings(
    max_examples=60, stateful_step_count=20, deadline=None, database=None
)
TestLogs = LogMachine.TestCase
