"""The database in SQLite: a copy by `VACUUM INTO`, whole also while a server writes."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from clawsite.backup import BackupError

FILE = "database.sqlite3"
BUSY_SECONDS = 30.0


class SqliteDatabase:
    """The file that `DATABASE_URL` names."""

    kind = "sqlite"

    def __init__(self, path: Path) -> None:
        self._path = path

    def dump(self, folder: Path) -> None:
        """Write a checked copy into the folder. Raises `BackupError`."""
        if not self._path.is_file():
            raise BackupError(f"There is no database at {self._path}: see DATABASE_URL.")
        copy = folder / FILE
        try:
            with closing(_opened(self._path, "rw")) as connection:
                connection.execute("VACUUM INTO ?", [str(copy)])
        except sqlite3.Error as error:
            raise BackupError(f"{self._path} cannot be copied: {error}.") from error
        _check(copy)

    def is_empty(self) -> bool:
        """Whether nothing would be lost."""
        return not self._path.exists() or self._path.stat().st_size == 0

    def refuse_if_used(self) -> None:
        """The journal's lock says it already."""

    def load(self, folder: Path) -> None:
        """Put the copy in the folder in the database's place. Raises `BackupError`."""
        draft = self._path.with_name(f"{self._path.name}.restoring")
        draft.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(folder / FILE, draft)
            _check(draft)
            with draft.open("rb") as file:
                os.fsync(file.fileno())
            # Before the file comes: its log must not be applied to another database.
            for suffix in ("-wal", "-shm"):
                self._path.with_name(f"{self._path.name}{suffix}").unlink(missing_ok=True)
            draft.replace(self._path)
        finally:
            draft.unlink(missing_ok=True)


def _opened(path: Path, mode: str) -> sqlite3.Connection:
    """Opens a database that exists; it makes none."""
    uri = f"{path.resolve().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS)


def _check(path: Path) -> None:
    try:
        with closing(_opened(path, "ro")) as connection:
            found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            migrations = connection.execute("SELECT count(*) FROM django_migrations").fetchone()[0]
    except sqlite3.Error as error:
        raise BackupError(f"The copy cannot be read: {error}.") from error
    if found != "ok" or not migrations:
        raise BackupError(f"The copy is no database of Clawsite: {found}.")
