"""The journal: the log of one process on its own disk, a file per run."""

import asyncio
import os
import re
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from math import inf
from pathlib import Path
from weakref import WeakValueDictionary

from engine.events import LAST
from engine.log.base import LogError, StorageFailed
from engine.log.journal import Journal, is_finished
from engine.log.local import SWEEP_STEP, LocalLog, Run
from engine.log.shares import Share, Shares
from engine.log.spare import Spare

SUFFIX = ".jsonl"
NOBODY = ""  # the owner of ended runs until `assign`
RECENT = 256  # runs that stay in memory after their end: at most 8 MB of tails
_SAFE = re.compile(r"[A-Za-z0-9_]{1,64}")


class FileRun(Run):
    """A run whose older lines are read from its file."""

    __slots__ = ("journal", "share")

    def __init__(self, run_id: str, limit: int, journal: Journal) -> None:
        super().__init__(run_id, limit)
        self.journal = journal
        self.share = Share()  # the owner's, as soon as it is written

    def store(self, lines: list[bytes]) -> None:
        before = self.journal.size
        self.journal.append(lines)
        self.share.used += self.journal.size - before
        self.keep(lines)

    def older(self, after: int) -> list[bytes]:
        return self.journal.read(after)


class FileLog(LocalLog[FileRun]):
    """`Log` in `directory`, one ``<run_id>.jsonl`` per run; `tail_bytes` of each stay in memory.

    The journals of one owner have room for `owner_bytes` on disk.

    One process at a time may write (the caller locks). Position and history of a run are read from
    its file when somebody asks for it, so runs that ended cost only disk until they are swept."""

    def __init__(
        self,
        directory: str | Path,
        *,
        retention: float,
        owner_bytes: float = inf,
        tail_bytes: int = 8 * 1024,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(retention, clock)
        self._directory, self._tail_bytes = str(directory), tail_bytes
        os.makedirs(self._directory, mode=0o700, exist_ok=True)
        self._spare, self._shares = Spare(), Shares(owner_bytes)
        self._runs: WeakValueDictionary[str, FileRun] = WeakValueDictionary()  # all in memory
        self._active: dict[str, FileRun] = {}  # kept in memory: being written
        self._recent: deque[FileRun] = deque(maxlen=RECENT)  # kept for who comes late

    def open_runs(self) -> list[str]:
        """The runs that this process has written to and that have no `done` yet."""
        return list(self._active)

    def unfinished(self) -> list[str]:
        """The runs without `done`, and the start of retention for the others.

        Call it once, before the first `sweep`. It blocks: about 20 us a file."""
        found, ended = [], []
        with os.scandir(self._directory) as files:
            for file in files:
                run_id = file.name.removesuffix(SUFFIX)
                if run_id == file.name or not _SAFE.fullmatch(run_id):
                    continue
                if is_finished(file.path) or self._known(run_id).finished:
                    stat = file.stat()
                    ended.append((stat.st_mtime, run_id, stat.st_size))
                elif self._known(run_id).seq:
                    found.append(run_id)
                else:  # killed before its first event
                    self._drop(run_id)
        nobodys = self._shares.of(NOBODY)
        for ended_at, run_id, size in sorted(ended):
            self._ended.append((ended_at, run_id))
            nobodys.used += size
            self._shares.end(run_id, nobodys, size)
        return found

    def without_owner(self) -> list[str]:
        """The ended runs that `unfinished` met, oldest first: no file says whose they are."""
        return list(self._shares.of(NOBODY).ended)

    def assign(self, owners: Mapping[str, str]) -> None:
        """Say whose those are, in that order."""
        for run_id, owner in owners.items():
            self._shares.move(run_id, owner)

    async def has_room(self, owner: str) -> bool:
        """See `Log.has_room`."""
        for dropped, run_id in enumerate(self._shares.surplus(owner), 1):
            self._forget(run_id)
            if dropped % SWEEP_STEP == 0:
                await asyncio.sleep(0)
        return self._shares.has_room(owner)

    def finish(self, run: FileRun) -> None:
        """See `LocalLog.finish`."""
        super().finish(run)
        del self._active[run.run_id]
        run.journal.close()
        self._recent.append(run)
        self._shares.end(run.run_id, run.share, run.journal.size)

    def release(self, run: FileRun) -> None:
        """See `Writer.release`: the run is loaded again from its file."""
        super().release(run)
        del self._active[run.run_id]
        run.share.used -= run.journal.size
        run.journal.close()

    async def aclose(self) -> None:
        """Stop the writers and close their files; readers that wait for more are told that it broke
        off."""
        for run in list(self._runs.values()):
            run.stop_writer(LogError)
            run.fail(StorageFailed)
            run.journal.close()
        self._active.clear()
        self._spare.close()

    def _find(self, run_id: str) -> FileRun | None:
        run = self._runs.get(run_id)
        return run if run is not None else self._load(run_id)

    def _load(self, run_id: str) -> FileRun | None:
        if not _SAFE.fullmatch(run_id):
            return None
        run = self._new(run_id)
        try:
            run.finished = run.journal.load() == LAST
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageFailed(f"cannot read the journal of {run_id}: {error.strerror}") from error
        run.seq = run.journal.lines
        self._runs[run_id] = run
        self._recent.append(run)
        return run

    def _new(self, run_id: str) -> FileRun:
        return FileRun(run_id, self._tail_bytes, Journal(self._path(run_id), self._spare))

    def _begin(self, run: FileRun, owner: str) -> None:
        run.journal.open()
        if run.run_id not in self._active:
            run.share = self._shares.of(owner)
            run.share.used += run.journal.size
        self._runs[run.run_id] = self._active[run.run_id] = run

    def _drop(self, run_id: str) -> FileRun | None:
        self._shares.forget(run_id)
        run = self._runs.pop(run_id, None)
        if run is not None:
            if self._active.pop(run_id, None) is not None:
                run.share.used -= run.journal.size
            run.journal.close()
        with suppress(FileNotFoundError):  # gone already, as it should be
            os.unlink(self._path(run_id))
        return run

    def _path(self, run_id: str) -> str:
        if not _SAFE.fullmatch(run_id):  # our ids are; this one could lead out of the directory
            raise LogError(f"not a run id: {run_id!r}")
        return f"{self._directory}/{run_id}{SUFFIX}"
