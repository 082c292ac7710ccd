"""A real small model for `make model` and `make run MODEL=local`."""

import json
import os
import socket
import subprocess
import sys
import time
from typing import Any

import pytest

from scripts.small_model import NAME, answers
from tests.documents import ROOT
from tests.ports import free_port
from tests.small_model import SmallModel

pytestmark = [pytest.mark.scaled, pytest.mark.model]

PROGRAM = [sys.executable, "-m", "scripts.small_model"]
# A command that asks the model which its settings name.
ASK = """
import json
from urllib.request import Request, urlopen
from django.conf import settings
body = {"model": settings.OPENAI_MODEL, "messages": [{"role": "user", "content": "Say hello."}]}
headers = {"Content-Type": "application/json"}
url = f"{settings.OPENAI_BASE_URL}/chat/completions"
with urlopen(Request(url, json.dumps(body).encode(), headers), timeout=60) as answer:
    content = json.load(answer)["choices"][0]["message"]["content"]
key = settings.ANTHROPIC_API_KEY
print(json.dumps({"url": settings.OPENAI_BASE_URL, "key": key, "content": content}))
"""


def small_model(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    env = {"PATH": os.environ["PATH"], "DEBUG": "true", **environment}
    return subprocess.run(
        [*PROGRAM, *arguments], cwd=ROOT, env=env, capture_output=True, text=True, timeout=120
    )


def test_it_works() -> None:
    """A command has a model of its own, which ends with it."""
    done = small_model(
        "--", "shell", "--verbosity", "0", "-c", ASK, ANTHROPIC_API_KEY="sk-ant-mine"
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert said["content"] and said["key"] == ""
    port = int(said["url"].removesuffix("/v1").rpartition(":")[2])
    until = time.monotonic() + 30
    while answers(port):
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_model_that_is_there_already_is_enough() -> None:
    port = free_port()
    with SmallModel(port):
        done = small_model("--port", str(port))
    assert (done.returncode, "already" in done.stdout) == (0, True)


def test_a_port_in_use_is_said() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = small_model("--port", str(taken.getsockname()[1]))
    assert done.returncode == 1 and "make model PORT=" in done.stderr
    assert NAME not in done.stdout
