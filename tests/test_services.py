"""What cannot run here is skipped, and its reason reaches the end of `make test`."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = """
import pytest

@pytest.mark.node
def test_node(): ...

@pytest.mark.skip(reason="no service would help")
def test_skipped(): ...
"""


@pytest.mark.process
def test_it_works(tmp_path: Path) -> None:
    (tmp_path / "test_example.py").write_text(EXAMPLE)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    node: needs Node.js\n")
    subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.services", "-p", "no:django", tmp_path],
        cwd=tmp_path,
        # No PATH: Node.js cannot be found.
        env={"PYTHONPATH": str(ROOT), "SKIPPED": str(tmp_path / "skipped"), "PATH": ""},
        check=True,
        capture_output=True,
        timeout=60,
    )
    assert (tmp_path / "skipped").read_text() == "Node.js is not installed\n"
