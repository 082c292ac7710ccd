"""Measurements of the machine: CPU time, how long a process waited for a core, which others ran
there."""

import os
import platform
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple, Self

TICK = os.sysconf("SC_CLK_TCK")
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOAD_CORE = CORES[0], CORES[-1]
PACKAGES = ("Django", "channels", "uvicorn", "uvloop", "httptools", "msgspec")


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """Processes that are started in here stay on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def waited_seconds(pid: int) -> float:
    """Seconds that its main thread was ready to run while the core did something else."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


def rss_mb(pid: int) -> float:
    """Resident memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def busy_seconds(core: int) -> float:
    """Seconds that a core has worked so far, for any process, and that its host took from it."""
    for line in Path("/proc/stat").read_text().splitlines():
        name, *ticks = line.split()
        if name == f"cpu{core}":
            user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, ticks[:8])
            return (user + nice + system + irq + softirq + steal) / TICK
    raise LookupError(f"no core {core}")


def family(pid: int) -> list[int]:
    """A process and all its descendants."""
    found = [pid]
    with suppress(FileNotFoundError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for child in children:
            found += family(int(child))
    return found


class Spent(NamedTuple):
    """Between two looks. `waited`, `foreign` (CPU of others on the server's core) and `load` (the
    other core's work) are shares of the time; `memory` is in MB."""

    seconds: float
    cpu: float
    waited: float
    foreign: float
    load: float
    memory: float


class Meter(NamedTuple):
    """The counters of the server's processes and of the cores at one moment."""

    at: float
    cpu: float
    waited: float
    server_core: float
    load_core: float
    memory: float

    @classmethod
    def read(cls, pids: Sequence[int]) -> Self:
        return cls(
            time.monotonic(),
            sum(map(cpu_seconds, pids)),
            max(map(waited_seconds, pids)),
            busy_seconds(SERVER_CORE),
            busy_seconds(LOAD_CORE),
            sum(map(rss_mb, pids)),
        )

    def until(self, later: "Meter") -> Spent:
        """The spending between two readings."""
        seconds = later.at - self.at
        cpu = later.cpu - self.cpu
        return Spent(
            seconds,
            cpu,
            (later.waited - self.waited) / seconds,
            max(0.0, later.server_core - self.server_core - cpu) / seconds,
            (later.load_core - self.load_core) / seconds,
            later.memory,
        )


def processor() -> str:
    """The CPU's name."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    named = next((line for line in lines if line.startswith("model name")), ": unknown CPU")
    return named.partition(":")[2].strip()


def versions() -> dict[str, str]:
    """The versions of everything that decides the product's result."""
    return {"Python": platform.python_version()} | {name: version(name) for name in PACKAGES}


def tool_version(name: str, *option: str) -> str | None:
    """The first line that a program prints about itself; None without it."""
    if not shutil.which(name):
        return None
    said = subprocess.run([name, *option], capture_output=True, text=True, check=False)
    return said.stdout.strip().partition("\n")[0]


def description() -> str:
    """The machine and the versions in one line."""
    named = ", ".join(f"{name} {number}" for name, number in versions().items())
    return f"{processor()}, {len(CORES)} cores, {named}"
