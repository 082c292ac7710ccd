"""Without a C compiler the benchmark runs all the same, and says what that means."""

import json
import re
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path

import pytest

from bench import programs
from bench.measuring import upstream
from tests.bench.hiding import hidden_compiler

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]


def said(path: str) -> tuple[list[tuple[str, str]], bytes]:
    """Head and body of an answer of the model server, every time in it made the same."""
    with upstream() as model:
        connection = HTTPConnection(model.url.removeprefix("http://"), timeout=10)
        connection.request("POST", path, b"tokens=3 every=1 pad=5")
        answer = connection.getresponse()
        body = re.sub(rb":\d+ ", b":0 ", answer.read())
        connection.close()
    return answer.getheaders(), body


def test_it_works() -> None:
    with hidden_compiler():
        assert programs.language() == "Python"
        assert programs.program("load") == [sys.executable, "-m", "bench.load"]


@pytest.mark.compiler
@pytest.mark.parametrize("path", ["/v1/messages", "/v1/chat/completions"])
def test_both_model_servers_send_the_same(path: str) -> None:
    in_c = said(path)
    with hidden_compiler():
        assert said(path) == in_c


@pytest.mark.live
@pytest.mark.node
@pytest.mark.redis
def test_a_whole_run_without_a_compiler(tmp_path: Path) -> None:
    options = ["--only", "watched", "--scale", "0.005", "--window", "0.5", "--out", str(tmp_path)]
    with hidden_compiler():
        done = subprocess.run(
            [sys.executable, "-m", "bench", *options],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    assert done.returncode == 0, done.stderr
    assert done.stdout.count(programs.TWINS) == 1
    (path,) = tmp_path.glob("*.json")
    results = json.loads(path.read_text())
    assert results["programs"] == "Python"
    measured = results["scenarios"]["watched"]["Clawsite"]
    assert (measured["failures"], measured["streaming"], measured["error"]) == (0, 5, "")
