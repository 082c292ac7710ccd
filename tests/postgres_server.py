"""PostgreSQL for tests: databases on the machine's own, or one of our own that may be killed."""

import os
import shutil
import signal
import subprocess
import time
from glob import glob
from pathlib import Path
from tempfile import mkdtemp
from uuid import uuid4

import psycopg

from tests.ports import free_port
from tests.services import POSTGRES_URL


class Databases:
    """Databases of these tests on one server; dropped with `drop_all`."""

    def __init__(self, url: str = POSTGRES_URL) -> None:
        self._server = url.rpartition("/")[0]
        self._names: list[str] = []

    def create(self, template: str = "template1", *, copy_of: str = "") -> str:
        """The URL of a new database: a copy of `template` (a URL, or a name), or of what lies at
        the URL `copy_of` on another server."""
        name = f"clawsite_live_{uuid4().hex[:12]}"
        self._do(f'CREATE DATABASE "{name}" TEMPLATE "{template.rpartition("/")[2]}"')
        self._names.append(name)
        url = f"{self._server}/{name}"
        if copy_of:
            load = [postgres_program("psql"), "-q", "-v", "ON_ERROR_STOP=1", url]
            subprocess.run(load, check=True, input=dump(copy_of), stdout=subprocess.DEVNULL)
        return url

    def drop(self, url: str) -> None:
        """Whoever is still connected is cut off."""
        name = url.rpartition("/")[2]
        self._do(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self._names.remove(name)

    def drop_all(self) -> None:
        """Those that are left."""
        for name in list(self._names):
            self.drop(name)

    def _do(self, statement: str) -> None:
        with psycopg.connect(f"{self._server}/postgres", autocommit=True) as connection:
            connection.execute(statement)


class PostgresServer:
    """One server on 127.0.0.1 with a folder of its own, fsync on, and the right to kill it."""

    def __init__(self, **settings: str) -> None:
        self._settings = settings
        # It refuses to run as root, and its user cannot look into pytest's folders.
        self._user = {"user": "postgres", "group": "postgres"} if os.getuid() == 0 else {}
        self._folder = Path(mkdtemp(prefix="clawsite-postgres-"))
        if self._user:
            shutil.chown(self._folder, **self._user)
        self.port = free_port()
        self.url = f"postgres://clawsite@127.0.0.1:{self.port}/postgres"
        self._process: subprocess.Popen[bytes] | None = None
        create = [
            postgres_program("initdb"),
            "-D",
            str(self._data),
            "-A",
            "trust",
            "-U",
            "clawsite",
        ]
        subprocess.run(create, check=True, stdout=subprocess.DEVNULL, cwd="/", **self._user)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [postgres_program("postgres"), "-D", str(self._data), "-p", str(self.port)]
        command += ["-h", "127.0.0.1", "-k", ""]
        for name, value in ({"max_connections": "300"} | self._settings).items():
            command += ["-c", f"{name}={value}"]
        with open(self._folder / "log", "ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", **self._user)
        until = time.monotonic() + 20
        while True:
            try:
                psycopg.connect(self.url, connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                assert self._process.poll() is None, "PostgreSQL does not start"
                assert time.monotonic() < until, "PostgreSQL does not answer"
                time.sleep(0.02)

    @property
    def log(self) -> str:
        """What it has said."""
        return (self._folder / "log").read_text()

    def kill(self) -> None:
        """SIGQUIT, its crash: every connection breaks, and the next start recovers from the log."""
        self._end(signal.SIGQUIT)

    def remove(self) -> None:
        """Kill it, if it runs, and delete its folder."""
        if self._process is not None:
            self.kill()
        shutil.rmtree(self._folder)

    def _end(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(timeout=20)
        self._process = None


def dump(url: str) -> bytes:
    """All of a database, as statements that make it."""
    command = [postgres_program("pg_dump"), "--no-owner", "--no-privileges", url]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def postgres_program(name: str) -> str:
    """One of PostgreSQL's; Debian keeps them out of the PATH."""
    found = sorted(glob(f"/usr/lib/postgresql/*/bin/{name}")) or [shutil.which(name) or name]
    return found[-1]
