"""The programs of `examples` do what they say."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.documents import ROOT
from tests.live.server import Server


def labels_of(path: Path) -> dict[str, str]:
    rows: list[Any] = [json.loads(line) for line in path.read_text().splitlines()]
    assert len({row["id"] for row in rows}) == len(rows)
    return {row["id"]: row["label"] for row in rows}


def classify(server: Server, folder: Path) -> int:
    program = ROOT / "examples" / "tickets" / "classify.py"
    files = [str(folder / name) for name in ("tickets.jsonl", "labels.jsonl")]
    options = ["--agent", "acme-agent", "--url", server.url]
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "clients" / "python" / "src"),
        "API_KEY": server.keys.acme,
    }
    command = [sys.executable, "-W", "error", str(program), *files, *options]
    return subprocess.run(command, env=env, timeout=60).returncode


def test_tickets_are_labelled_and_what_is_left_the_next_time(
    server: Server, tmp_path: Path
) -> None:
    texts = {f"t{n}": f"[[upstream tokens={n}]]" for n in range(1, 8)}
    texts["broken"] = "[[upstream mode=error]]"
    lines = [json.dumps({"id": id, "text": text}) + "\n" for id, text in texts.items()]
    (tmp_path / "tickets.jsonl").write_text("".join(lines))
    labels = tmp_path / "labels.jsonl"
    labels.write_text('{"id": "t1", "label": "mine"}\n{"id": "t2", "lab')  # it was stopped here
    assert classify(server, tmp_path) == 1
    found = labels_of(labels)
    assert found.keys() == texts.keys() - {"broken"}
    assert (found["t1"], found["t3"]) == ("mine", "w0 w1 w2")
    texts["broken"] = "[[upstream tokens=1]]"
    lines = [json.dumps({"id": id, "text": text}) + "\n" for id, text in texts.items()]
    (tmp_path / "tickets.jsonl").write_text("".join(lines))
    assert classify(server, tmp_path) == 0
    assert labels_of(labels) == found | {"broken": "w0"}
