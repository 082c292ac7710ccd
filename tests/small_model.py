"""A real small model (scripts/small_model.py) for tests. Needs requirements-model.txt."""

import json
import subprocess
from typing import Self
from urllib.request import urlopen

from scripts.small_model import start


class SmallModel:
    """`with SmallModel(port) as model: model.url, model.busy_slots()`."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._process = start(self._port)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def busy_slots(self) -> int:
        """How many answers it computes right now."""
        with urlopen(f"{self.url}/slots", timeout=5) as answer:
            return sum(slot["is_processing"] for slot in json.load(answer))
