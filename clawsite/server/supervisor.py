"""`serve --workers N`: N serving processes on one socket, restarted when they die.

uvicorn's own supervisor ignores a Server subclass, and ours has the whole shutdown in it.

Each child holds the end of a pipe whose other end is the parent's: when that is gone, however it
died, the pipe is at its end and the child leaves."""

import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from core import metrics

log = logging.getLogger(__name__)

SOON = 5.0  # seconds: a process that dies younger than this is not restarted at once
FIRST_PAUSE, MAX_PAUSE = 0.5, 30.0
TICK = 0.1


class Supervisor:
    """The parent: it listens, but the children accept."""

    def __init__(self, listening: socket.socket, workers: int, options: list[str]) -> None:
        self._socket = listening
        self._socket.set_inheritable(True)
        self._workers, self._options = workers, options
        self._started: dict[int, float] = {}  # by process id
        self._folders: dict[int, Path] = {}  # the same: where each one counts
        self._pause = FIRST_PAUSE
        self._stopping = False
        self._watched, self._alive = os.pipe()

    def run(self) -> None:
        """Until SIGTERM or SIGINT, and until all children have left after it."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        with tempfile.TemporaryDirectory(prefix="clawsite-metrics-") as folder:
            self._supervise([Path(folder, str(number)) for number in range(self._workers)])
        self._socket.close()
        os.close(self._watched)
        os.close(self._alive)

    def _supervise(self, folders: list[Path]) -> None:
        for folder in folders:
            folder.mkdir()
            if not self._stopping:
                self._spawn(folder)
        while self._started:
            pid, status = os.wait()
            folder = self._folders.pop(pid)
            metrics.forget_present(folder)
            age = time.monotonic() - self._started.pop(pid, 0.0)
            if not self._stopping:
                log.error("process %d died (%s)", pid, os.waitstatus_to_exitcode(status))
                self._respawn(age, folder)

    def _respawn(self, age: float, folder: Path) -> None:
        if age > SOON:
            self._pause = FIRST_PAUSE
        else:
            self._sleep(self._pause)
            self._pause = min(self._pause * 2, MAX_PAUSE)
        if not self._stopping:
            self._spawn(folder)

    def _sleep(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._stopping and time.monotonic() < until:
            time.sleep(TICK)  # a signal does not end a sleep

    def _spawn(self, folder: Path) -> None:
        descriptor = self._socket.fileno()
        command = [sys.executable, sys.argv[0], "serve", "--fd", str(descriptor)]
        command += ["--parent", str(self._watched), *self._options]
        process = subprocess.Popen(
            command,
            env=os.environ | {metrics.FOLDER: str(folder)},
            pass_fds=[descriptor, self._watched],
            start_new_session=True,
        )
        self._folders[process.pid] = folder
        self._started[process.pid] = time.monotonic()
        # Reaped by `run`: without this, subprocess would warn that it is still running.
        process.returncode = 0
        if self._stopping:  # the signal came before this child was known
            os.kill(process.pid, signal.SIGTERM)

    def _stop(self, number: int, frame: object) -> None:
        """Every child shuts down by itself; a second signal only says it again."""
        self._stopping = True
        for pid in list(self._started):
            os.kill(pid, signal.SIGTERM)
