"""A Redis of our own: a free port, a folder, and the right to kill it."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from tests.ports import free_port


class RedisServer:
    """One `redis-server` process at a time, on 127.0.0.1; `aof`: what it confirmed is on disk."""

    def __init__(self, folder: Path, *, aof: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._aof = folder, aof
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it answers; it finds what it had written to disk."""
        options = {
            "port": self.port,
            "bind": "127.0.0.1",
            "dir": self._folder,
            "save": "",
            "appendonly": "yes" if self._aof else "no",
            "loglevel": "warning",
        }
        command = ["redis-server"]
        for name, value in options.items():
            command += [f"--{name}", str(value)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while self.ask("PING") != b"PONG":
            assert self._process.poll() is None, "redis-server does not start"
            assert time.monotonic() < deadline, "redis-server does not answer"
            time.sleep(0.01)

    def kill(self) -> None:
        """SIGKILL: nothing is written to disk any more."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Shut down in order, if it runs."""
        if self._process is not None:
            self._end(signal.SIGTERM)

    def stall(self) -> None:
        """It keeps its connections and answers nothing, until `wake`."""
        self._signal(signal.SIGSTOP)

    def wake(self) -> None:
        """It goes on."""
        self._signal(signal.SIGCONT)

    def ask(self, command: str) -> bytes:
        """The first line of the reply to an inline command; empty if there is no server."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                connection.sendall(command.encode() + b"\r\n")
                return connection.recv(4096).split(b"\r\n")[0].lstrip(b"+:")
        except OSError:
            return b""

    def _signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def _end(self, number: int) -> None:
        self._signal(number)
        assert self._process is not None
        self._process.wait(timeout=20)
        self._process = None
