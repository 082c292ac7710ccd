"""One installation of many processes, with the face of one `Server`: what is true of a single
process must be true of all of them, wherever a client lands."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.live.server import Keys, Server, manage
from tests.postgres_server import dump
from tests.redis_server import RedisServer

WEBS, WORKERS = 2, 2


@dataclass
class Stack:
    """`webs` serve and `workers` work. Every look at `url` gives the next one that serves, or what
    is before them: `front`, the port of a proxy that goes to the next one with every request."""

    env: dict[str, str]
    folder: Path
    keys: Keys
    redis: RedisServer
    options: tuple[str, ...] = ()
    front: int | None = None
    webs: list[Server] = field(default_factory=list)
    workers: list[Server] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._turns = itertools.count()
        for kind, count in (("web", WEBS), ("worker", WORKERS)):
            for number in range(count):
                folder = self.folder / f"{kind}{number}"
                folder.mkdir()
                if kind == "web":
                    command = ("serve", "--no-work", *self.options)
                    self.webs.append(Server(self.env, folder, self.keys, command))
                else:
                    self.workers.append(Server(self.env, folder, self.keys, ("work",)))

    @property
    def processes(self) -> list[Server]:
        return [*self.workers, *self.webs]

    @property
    def web(self) -> Server:
        """The next one that serves."""
        up = [web for web in self.webs if web.process is not None] or self.webs
        return up[next(self._turns) % len(up)]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/api/ws"

    @property
    def port(self) -> int:
        return self.front or self.web.port

    @property
    def log(self) -> str:
        """What all of them have printed."""
        return "".join(process.log for process in self.processes)

    def start(self) -> "Stack":
        """Start what does not run; returns when all of it answers."""
        down = [process for process in self.processes if process.process is None]
        with ThreadPoolExecutor(len(down) or 1) as pool:
            list(pool.map(Server.start, down))
        return self

    def kill(self) -> None:
        """SIGKILL for all that run, then no Redis either."""
        for process in self.processes:
            process.kill()

    def terminate(self) -> None:
        """SIGTERM for all, without waiting."""
        for process in self.processes:
            process.terminate()

    def wait(self) -> int:
        """The highest exit code, once all have left."""
        return max(process.wait() for process in self.processes)

    def stop(self) -> int:
        """SIGTERM; the highest exit code."""
        self.terminate()
        return self.wait()

    def manage(self, *command: str) -> str:
        """A management command of this installation."""
        return manage(self.env, *command)

    def rss_mb(self) -> float:
        """Resident memory of all that serve, in MB."""
        return sum(web.rss_mb() for web in self.webs)

    def stored(self) -> bytes:
        """All that its database holds."""
        return dump(self.env["DATABASE_URL"])

    def another_web(self) -> Server:
        """One more process that serves; not started."""
        folder = self.folder / f"web{len(self.webs)}"
        folder.mkdir()
        self.webs.append(replace(self.webs[0], folder=folder, process=None))
        return self.webs[-1]
