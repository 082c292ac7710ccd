"""The subjects of measurements: the product, and what one would write instead of it. All run on one
core."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import URLError
from urllib.request import urlopen

from bench.machine import LOAD_CORE, SERVER_CORE, family, pinned
from tests.live.installation import Embedded, ScaledOut
from tests.live.server import Server, free_port
from tests.postgres_server import Databases, PostgresServer

PEERS = Path(__file__).parent / "peers"
VENV = PEERS.parent.parent / ".venv" / "peers"  # where no tool looks for our own files
START_SECONDS = 30.0

# Every limit is on, and too high to be met.
LIMITS = (
    "CLAW_MAX_MESSAGES_PER_MINUTE",
    "CLAW_MAX_CONNECTIONS_PER_AGENT",
    "CLAW_MAX_STREAMS_PER_AGENT",
    "CLAW_MAX_UNAUTHENTICATED_PER_ADDRESS",
    "CLAW_MAX_ACTIVE_RUNS",
    "CLAW_MAX_ACTIVE_RUNS_PER_ORGANISATION",
)
SETTINGS = {"CLAW_RUN_LEASE": "15", **dict.fromkeys(LIMITS, "100000")}


@dataclass(frozen=True)
class Door:
    """A way for clients to ask (the arguments of load.c)."""

    kind: str
    path: str
    ask: str
    header: str = ""
    greeting: int = 0  # whether the server speaks first
    resume: str = ""


@dataclass
class Subject:
    """Something that runs. `pids`: whose CPU and memory count; `others`: services' CPU, apart."""

    name: str
    port: int
    doors: dict[str, Door]
    pids: list[int]
    others: list[int] = field(default_factory=list)
    key: str = ""


Start = Callable[["Stage"], AbstractContextManager[Subject]]
"""The subject runs on the server's core, and ends with the block."""

PEER_DOORS = {
    "ws": Door("ws", "/ws", '{"type":"message","content":"{order}"}'),
    "sse": Door("sse", "/chat", '{"message":"{order}"}'),
}


def product_doors(key: str) -> dict[str, Door]:
    """With an API key, every question in a conversation of its own."""
    header = f"Authorization: Bearer {key}\r\n"
    chat = '{"type":"chat","messages":[{"role":"user","content":"{order}"}]}'
    resume = '{"type":"resume","runId":"{run}","lastSeq":{seq}}'
    return {
        "ws": Door("ws", "/api/ws", chat, header, 1, resume),
        "sse": Door("sse", "/api/chat/stream", '{"message":"{order}"}', header),
    }


class Stage:
    """The place where subjects run: the model server's URL, and installations to copy. They are
    made when the first subject needs them, and gone with `owned`."""

    def __init__(self, upstream: str, owned: ExitStack) -> None:
        self.upstream, self._owned = upstream, owned

    def folder(self) -> Path:
        return Path(self._owned.enter_context(TemporaryDirectory(prefix="clawsite-bench-")))

    @cached_property
    def embedded(self) -> Embedded:
        return Embedded(self.folder(), self.upstream)

    @cached_property
    def postgres(self) -> ScaledOut:
        """On a PostgreSQL of our own, which runs on the load's core."""
        server = PostgresServer()
        self._owned.callback(server.remove)
        with pinned(LOAD_CORE):
            server.start()
        return ScaledOut(Databases(server.url), self.folder(), self.upstream)


@contextmanager
def product(stage: Stage) -> Iterator[Subject]:
    """`manage.py serve` in one process with SQLite."""
    with (
        TemporaryDirectory() as folder,
        stage.embedded.deployed(Path(folder), **SETTINGS) as server,
    ):
        with pinned(SERVER_CORE):
            server.start()
        yield _subject("Clawsite", [server])


@contextmanager
def product_on_postgres(stage: Stage) -> Iterator[Subject]:
    """The same with PostgreSQL."""
    with stage.postgres.deployed(stage.folder(), **SETTINGS) as stack:
        server = stack.webs[0]
        server.env["REDIS_URL"], server.command = "", ("serve",)
        with pinned(SERVER_CORE):
            server.start()
        yield _subject("Clawsite, PostgreSQL", [server])


@contextmanager
def scaled_out(stage: Stage, *, each: int = 1) -> Iterator[Subject]:
    """So many web and worker processes with Redis and PostgreSQL, both on the load's core."""
    with pinned(LOAD_CORE), ExitStack() as owned:
        stack = owned.enter_context(stage.postgres.deployed(stage.folder(), **SETTINGS))
        web, workers = stack.webs[0], stack.workers[:each]
        web.command = ("serve", "--no-work", "--workers", str(each))
        owned.callback(web.stop)  # a supervisor takes its children along
        with pinned(SERVER_CORE):
            for process in (web, *workers):
                process.start()
        subject = _subject("Clawsite, workers", [web, *workers])
        subject.others.append(stack.redis.pid)
        yield subject


def _subject(name: str, servers: list[Server]) -> Subject:
    key = servers[0].keys.acme
    pids = [pid for server in servers for pid in family(server.pid)]
    return Subject(name, servers[0].port, product_doors(key), pids, key=key)


@contextmanager
def peer(stage: Stage, *, name: str, command: list[str], way: str) -> Iterator[Subject]:
    """One of bench/peers; `{port}` in its command is where to listen."""
    port = free_port()
    env = os.environ | {
        "ANTHROPIC_API_KEY": "sk-ant-benchmark",
        "ANTHROPIC_BASE_URL": stage.upstream,
        "NODE_ENV": "production",
        "WAY": way,
    }
    arguments = [part.format(port=port, way=way) for part in command]
    with pinned(SERVER_CORE):
        process = subprocess.Popen(
            arguments, cwd=PEERS, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    try:
        _wait_until_it_answers(f"http://127.0.0.1:{port}/healthz", process)
        yield Subject(name, port, PEER_DOORS, family(process.pid))
    finally:
        process.kill()
        process.wait()


def _wait_until_it_answers(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            with urlopen(url, timeout=1):
                return
        except (URLError, OSError):
            time.sleep(0.05)
    raise RuntimeError(f"{process.args} did not start")


def install_peers() -> None:
    """Their packages, as locked: bench/peers/node_modules and .venv/peers; once."""
    python = VENV / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
    _once(
        PEERS / "requirements.txt",
        VENV / "installed",
        [python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", "requirements.txt"],
    )
    npm = ["npm", "ci", "--ignore-scripts", "--silent", "--no-audit", "--no-fund"]
    _once(PEERS / "package-lock.json", PEERS / "node_modules" / ".installed", npm)


def _once(lock: Path, installed: Path, command: list[str | Path]) -> None:
    if not installed.exists() or installed.read_bytes() != lock.read_bytes():
        print(f"installing {lock.name} of bench/peers ...", flush=True)
        subprocess.run(command, cwd=PEERS, check=True, stdin=subprocess.DEVNULL)
        installed.write_bytes(lock.read_bytes())


def peer_versions() -> dict[str, str]:
    """The locked versions of the peers' parts."""
    packages = json.loads((PEERS / "package-lock.json").read_text())["packages"]
    found = {name: packages[f"node_modules/{name}"]["version"] for name in _NODE_PACKAGES}
    pins = re.findall(r"^([a-z-]+)==([\d.]+)", (PEERS / "requirements.txt").read_text(), re.M)
    return found | {name: pin for name, pin in dict(pins).items() if name in _PYTHON_PACKAGES}


_NODE_PACKAGES = ("@anthropic-ai/sdk", "express", "ws")
_PYTHON_PACKAGES = ("anthropic", "fastapi", "daphne")
_NODE = ["node", "express.mjs", "{port}", "{way}"]
_FASTAPI = [f"{VENV}/bin/uvicorn", "fastapi_app:app", "--port", "{port}", "--log-level", "error"]
_CHANNELS = [f"{VENV}/bin/daphne", "-p", "{port}", "-v", "0", "channels_app:application"]


def _peer(name: str, command: list[str], way: str) -> tuple[str, Start]:
    return name, partial(peer, name=name, command=command, way=way)


SUBJECTS: dict[str, Start] = dict(
    [
        ("Clawsite", product),
        _peer("Express .create", _NODE, "create"),
        _peer("Express .stream", _NODE, "stream"),
        _peer("FastAPI .create", _FASTAPI, "create"),
        _peer("FastAPI .stream", _FASTAPI, "stream"),
        _peer("Channels + Daphne", _CHANNELS, "stream"),
    ]
)
