"""One serving process for one journal: a second one would write over the first one's runs."""

import asyncio
import fcntl
import os
import time
from pathlib import Path
from typing import Any

from django.db import connection, connections

POLL_SECONDS = 0.2
ADVISORY_KEY = 0x636C6177  # "claw": the same for every process on one database


class JournalBusy(Exception):
    """Another process serves with this journal or database."""

    def __init__(self, where: str) -> None:
        super().__init__(
            f"Another Clawsite server is running with {where}. Without PostgreSQL and Redis one "
            "process serves everything: stop the other one, or give this one its own "
            "DATABASE_URL and CLAW_DATA_DIR."
        )


class JournalLock:
    """A `flock` on the journal's folder and, on PostgreSQL, a session's advisory lock: the same
    folder on two machines is two locks, the same database is one. Both die with the process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: int | None = None
        self._session: Any = None

    async def acquire(self, patience: float) -> None:
        """Take it; wait `patience` seconds for a process that is about to leave.

        Raises `JournalBusy`, and then holds nothing."""
        try:
            await self._acquire(time.monotonic() + patience)
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        """Let the next process have it."""
        if self._session is not None:
            self._session.close()
        if self._file is not None:
            os.close(self._file)
        self._file = self._session = None

    async def _acquire(self, until: float) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self._folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        while not self._lock_file():
            if time.monotonic() >= until:
                raise JournalBusy(f"the journal in {self._folder}")
            await asyncio.sleep(POLL_SECONDS)
        if connection.vendor == "postgresql":
            while not await asyncio.to_thread(self._lock_database):
                if time.monotonic() >= until:
                    raise JournalBusy("this database")
                await asyncio.sleep(POLL_SECONDS)

    def _lock_file(self) -> bool:
        if self._file is None:
            return False
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _lock_database(self) -> bool:
        """On a connection of its own, outside of the pool: the lock lives as long as it."""
        import psycopg

        if self._session is None:
            parameters = connections["default"].get_connection_params()
            own = {k: v for k, v in parameters.items() if k not in ("context", "cursor_factory")}
            self._session = psycopg.connect(**own, autocommit=True)
        row = self._session.execute("SELECT pg_try_advisory_lock(%s)", [ADVISORY_KEY]).fetchone()
        return bool(row and row[0])
