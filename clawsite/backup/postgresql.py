"""The database in PostgreSQL, by its own programs, with what `DATABASE_URL` says."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import psycopg
from django.db import connections
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL

from clawsite.backup import BackupError

FILE = "database.dump"
OF_PSYCOPG = {"context", "cursor_factory", "prepare_threshold", "pool"}
CHUNK = 1024 * 1024
MAX_REASON = 2000  # characters of what a program has to say

TABLES = """
SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename
"""
OTHERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


class PostgresqlDatabase:
    """The database that `DATABASE_URL` names."""

    kind = "postgresql"

    def __init__(self) -> None:
        parameters = connections["default"].get_connection_params()
        own = {name: value for name, value in parameters.items() if name not in OF_PSYCOPG}
        self._password = own.pop("password", None)
        self._address = make_conninfo(**own)

    def dump(self, folder: Path) -> None:
        """Write a checked dump into the folder. Raises `BackupError`."""
        target = folder / FILE
        options = ["--format=custom", "--no-owner", "--no-privileges", "--no-password"]
        self._run("pg_dump", *options, f"--file={target}", f"--dbname={self._address}")
        listed = self._run("pg_restore", "--list", str(target))
        if " TABLE DATA " not in listed or " django_migrations " not in listed:
            raise BackupError("The dump is no database of Clawsite: see DATABASE_URL.")

    def is_empty(self) -> bool:
        """Whether nothing would be lost. Raises `BackupError`."""
        return not self._rows(TABLES)

    def refuse_if_used(self) -> None:
        """Raises `BackupError` while anybody else is connected, such as servers and workers."""
        ((others,),) = self._rows(OTHERS)
        if others:
            raise BackupError(
                f"There are {others} other connections to the database: stop all servers, workers "
                "and other programs that use it."
            )

    def load(self, folder: Path) -> None:
        """Put what the dump holds in the place of all tables, in one transaction.

        Raises `BackupError`; then everything is as before."""
        tables = ", ".join(row[0] for row in self._rows(TABLES))
        # Also what a later version has added, which would keep older tables from being replaced.
        drop = f"DROP TABLE {tables} CASCADE;\n" if tables else ""
        script = [_program("pg_restore"), "--file=-", "--clean", "--if-exists", "--no-owner"]
        script += ["--no-privileges", str(folder / FILE)]
        apply = [_program("psql"), "--no-psqlrc", "--quiet", "--no-password"]
        apply += ["--set=ON_ERROR_STOP=1", "--file=-", f"--dbname={self._address}"]
        with tempfile.TemporaryFile() as said:
            pipe: dict[str, Any] = {"stderr": said, "env": self._environment()}
            with (
                subprocess.Popen(script, stdout=subprocess.PIPE, **pipe) as reading,
                subprocess.Popen(
                    apply, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, **pipe
                ) as applying,
            ):
                whole = _feed(reading, applying, f"BEGIN;\n{drop}".encode())
            if not whole or reading.returncode or applying.returncode:
                said.seek(0)
                reason = said.read(MAX_REASON).decode(errors="replace").strip()
                raise BackupError(f"The dump cannot be restored, nothing is changed: {reason}")

    def _run(self, name: str, *arguments: str) -> str:
        done = subprocess.run(
            [_program(name), *arguments],
            env=self._environment(),
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode:
            raise BackupError(f"{name} failed: {done.stderr.strip()[:MAX_REASON]}")
        return done.stdout

    def _rows(self, statement: str) -> list[tuple[Any, ...]]:
        """On a connection of its own: one from the pool would count as somebody else's."""
        try:
            with psycopg.connect(self._address, password=self._password) as connection:
                return connection.execute(SQL(statement)).fetchall()
        except psycopg.Error as error:
            raise BackupError(f"PostgreSQL does not answer: {str(error).strip()}") from error

    def _environment(self) -> dict[str, str]:
        """The password is not among the arguments, which everybody on the machine can read."""
        return os.environ | ({"PGPASSWORD": self._password} if self._password else {})


def _feed(
    reading: subprocess.Popen[bytes], applying: subprocess.Popen[bytes], begin: bytes
) -> bool:
    """Pass the script on; without the last line, when its end is missing, all is rolled back.
    Returns whether it came through."""
    source, sink = reading.stdout, applying.stdin
    assert source is not None and sink is not None
    try:
        sink.write(begin)
        shutil.copyfileobj(source, sink, CHUNK)
        if reading.wait() == 0:
            sink.write(b"\nCOMMIT;\n")
        sink.close()
    except BrokenPipeError:  # psql has left, and says why
        return False
    return True


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise BackupError(f"{name} is not installed: `apt-get install postgresql-client` has it.")
    return found
