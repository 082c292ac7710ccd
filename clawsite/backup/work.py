"""Make a backup while everything runs, and restore one while nothing does."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection

from clawsite.backup import BackupError, folder
from clawsite.backup.files import copy_files, replace_files
from clawsite.backup.journals import FOLDER, copy_journals, replace_journals
from clawsite.backup.postgresql import PostgresqlDatabase
from clawsite.backup.sqlite import SqliteDatabase
from conversations.feed.stores.heads import lose_all
from conversations.process.journal_lock import JournalBusy, JournalLock


@dataclass(frozen=True)
class Backup:
    """A backup that was written or restored: its place, and its number of files and bytes."""

    folder: Path
    files: int
    bytes: int


def back_up(below: Path) -> Backup:
    """A new dated folder below this one with the database, the files of messages and, in the
    embedded mode, the journals.

    Raises `BackupError` or OSError, and then leaves nothing."""
    database = _database()
    with _private_files(), folder.new_backup(below) as draft:
        database.dump(draft)  # first: a journal without its row is swept, a row needs its journal
        if not settings.CLAW_SCALED_OUT:
            copy_journals(settings.CLAW_DATA_DIR, draft)
        copy_files(draft)
        manifest = folder.write_manifest(draft, version=settings.VERSION, database=database.kind)
    return _described(folder.name_it(draft), manifest)


def restore(source: Path, *, force: bool) -> Backup:
    """Put a backup, or the newest one in a folder, in the place of what is there.

    Raises `BackupError` or OSError: for a backup that is damaged, while a server runs, or where
    something would be lost without `force`."""
    database = _database()
    source = folder.find(source)
    manifest = folder.read_manifest(source)
    if manifest.get("database") != database.kind:
        raise BackupError(
            f"The backup is of {manifest.get('database')}, but DATABASE_URL is {database.kind}."
        )
    with _private_files():
        database.refuse_if_used()
        with _alone():
            if not force and not database.is_empty():
                raise BackupError("The database is not empty: --force replaces all that is in it.")
            database.load(source)
            connection.close()  # it may still have the files of before
            lose_all()
            if (source / FOLDER).is_dir() and not settings.CLAW_SCALED_OUT:
                replace_journals(source, settings.CLAW_DATA_DIR)
            replace_files(source)
    return _described(source, manifest)


def _database() -> SqliteDatabase | PostgresqlDatabase:
    if connection.vendor == "postgresql":
        return PostgresqlDatabase()
    return SqliteDatabase(Path(settings.DATABASES["default"]["NAME"]))


def _described(place: Path, manifest: dict[str, dict[str, dict[str, int]]]) -> Backup:
    files = manifest["files"].values()
    return Backup(place, len(files), sum(file["bytes"] for file in files))


@contextmanager
def _private_files() -> Iterator[None]:
    """Makes all files that are written meanwhile, also by other programs, readable by their owner
    only."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def _alone() -> Iterator[None]:
    """With the lock that a server holds; scaled out, none does (see `refuse_if_used`)."""
    lock = JournalLock(settings.CLAW_DATA_DIR)
    try:
        asyncio.run(lock.acquire(0))
    except JournalBusy as busy:
        raise BackupError(str(busy)) from None
    try:
        yield
    finally:
        lock.release()
