"""Ready installations, and servers that begin as a copy of one."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from copy import copy
from pathlib import Path
from typing import Protocol, Self

from tests.live.nginx import Nginx, changed, published
from tests.live.scaled.stack import Stack
from tests.live.server import Server, environment, install
from tests.postgres_server import Databases
from tests.redis_server import RedisServer

LEASE_SECONDS = 6
# Whoever comes again comes to another process.
SITE = changed(published("compose.conf"), {"    least_conn;\n": ""})
PROXY = published("clawsite-proxy.conf")


class Installation(Protocol):
    """A migrated database with two organisations."""

    @contextmanager
    def deployed(self, folder: Path, *command: str, **settings: str) -> Iterator[Server | Stack]:
        """A server of its own with these settings, not started; killed in the end."""
        ...


class Embedded:
    """SQLite, one process."""

    def __init__(self, folder: Path, upstream_url: str) -> None:
        self._template, self._upstream_url = folder / "db.sqlite3", upstream_url
        self._keys = install(environment(self._template, upstream_url))

    @contextmanager
    def deployed(self, folder: Path, *command: str, **settings: str) -> Iterator[Server]:
        """See `Installation.deployed`."""
        shutil.copy(self._template, folder / "db.sqlite3")
        env = environment(folder / "db.sqlite3", self._upstream_url, **settings)
        server = Server(env, folder, self._keys, command or ("serve",))
        try:
            yield server
        finally:
            server.kill()


class ScaledOut:
    """PostgreSQL, Redis and several processes of each kind; `fronted`: behind an nginx."""

    def __init__(
        self, databases: Databases, folder: Path, upstream_url: str, *, fronted: bool = False
    ) -> None:
        self._fronted = fronted
        self._databases, self._folder, self._upstream_url = databases, folder, upstream_url
        self._template = databases.create()
        # Any address: only with one are the queue's tables made.
        self._keys = install(self._environment(self._template, "redis://127.0.0.1:1"))

    @contextmanager
    def deployed(self, folder: Path, *command: str, **settings: str) -> Iterator[Stack]:
        """See `Installation.deployed`."""
        redis = RedisServer(folder / "redis", aof=True)
        database = self._databases.create(self._template)
        env = self._environment(database, redis.url, **settings)
        stack = Stack(env, folder, self._keys, redis, command[1:])
        redis.start()
        try:
            with ExitStack() as front:
                if self._fronted:
                    nginx = Nginx(folder / "nginx", [web.port for web in stack.webs], SITE, PROXY)
                    stack.front = front.enter_context(nginx).port
                yield stack
        finally:
            stack.kill()
            redis.stop()
            self._databases.drop(database)

    def moved_to(self, databases: Databases) -> Self:
        """The same on another PostgreSQL."""
        moved = copy(self)
        moved._databases = databases
        moved._template = databases.create(copy_of=self._template)
        return moved

    def _environment(self, database: str, redis_url: str, **settings: str) -> dict[str, str]:
        services = {"DATABASE_URL": database, "REDIS_URL": redis_url}
        # A heart must beat within it, also where all cores are busy.
        services |= {"CLAW_RUN_LEASE": str(LEASE_SECONDS)}
        return environment(self._folder, self._upstream_url, **services | settings)
