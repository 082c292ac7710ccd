"""The model server as a process of its own, for tests that start the product as one too."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self
from urllib.error import URLError
from urllib.request import urlopen


class UpstreamProcess:
    """`with UpstreamProcess(port) as upstream: upstream.url, upstream.stats(tag)`."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.upstream", "--port", str(self._port)],
            stdout=subprocess.DEVNULL,
        )
        until = time.monotonic() + 10
        while time.monotonic() < until:
            try:
                self.stats("none")
            except (URLError, OSError):
                time.sleep(0.02)
            else:
                return self
        raise AssertionError("the model server did not start")

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    @contextmanager
    def held(self) -> Iterator[None]:
        """It takes connections, and says nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def stats(self, tag: str) -> Any:
        """Counts of the streams of one tag: streams, aborted, in_flight, ..."""
        return self._get(f"/admin/stats?tag={tag}")

    def streams(self, tag: str) -> Any:
        """Every stream of one tag, with its state and times."""
        return self._get(f"/admin/streams?tag={tag}")

    def requests(self, tag: str) -> Any:
        """What the product sent: headers without secrets, body."""
        return self._get(f"/admin/requests?tag={tag}")

    def _get(self, path: str) -> Any:
        with urlopen(self.url + path, timeout=5) as answer:
            return json.load(answer)
