"""One measurement: the clients at a subject's door, the meters at the beginning and the end."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.request import urlopen

from bench.machine import LOAD_CORE, Meter, Spent, pinned
from bench.programs import program
from bench.subjects import Subject
from tests.live.server import free_port

MAX_SECONDS = 90.0  # seconds; whatever hangs, a measurement ends
ENOUGH = 0.93  # of the demand
IN_TIME = 100.0  # milliseconds, for 99 of 100 tokens
RATE = 50  # tokens a second of a stream

# Above these the machine, not the server, may be what is measured.
MAX_WAITED, MAX_FOREIGN, FULL_LOAD = 0.05, 0.05, 0.95
MAX_LATE = 0.01  # of the tokens; more alone would fail the 99 of 100

Measured = dict[str, Any]


class Upstream:
    """The model server, as a process on the load's core."""

    def __init__(self, url: str) -> None:
        self.url = url

    def stats(self) -> dict[str, float]:
        """The tokens sent since the last call, and how many left late."""
        return self._get("/stats")

    def finish(self) -> dict[str, float]:
        """The same, and every answer ends with its next token."""
        return self._get("/finish")

    def _get(self, path: str) -> dict[str, float]:
        with urlopen(self.url + path, timeout=10) as answer:
            found: dict[str, float] = json.load(answer)
            return found


@contextmanager
def upstream() -> Iterator[Upstream]:
    """A model server of its own; ends with the block."""
    port = free_port()
    with pinned(LOAD_CORE):
        process = subprocess.Popen([*program("upstream"), str(port)], stdout=subprocess.PIPE)
    with process:
        try:
            assert process.stdout is not None
            if not process.stdout.readline():  # the line that says it listens
                raise RuntimeError("the model server did not start")
            yield Upstream(f"http://127.0.0.1:{port}")
        finally:
            process.kill()


def measure(model: Upstream, subject: Subject, door: str = "ws", **options: Any) -> Measured:
    """Run the clients (`options` are arguments of load.c, beside those of the door).

    Returns the output of load.c, with `us_per_token` and `quiet`; times in milliseconds,
    memory in MB, shares from 0 to 1."""
    way = subject.doors[door]
    arguments = {
        "port": subject.port,
        "kind": way.kind,
        "path": way.path,
        "header": way.header,
        "greeting": way.greeting,
        "ask": way.ask,
        **options,
    }
    command = [*program("load"), *(f"{name}={value}" for name, value in arguments.items())]
    before = Meter.read(subject.pids)
    with (
        pinned(LOAD_CORE),
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as clients,
    ):
        guard = threading.Timer(MAX_SECONDS, clients.kill)
        guard.start()
        try:
            result = _watch(clients, model, subject, arguments)
        finally:
            guard.cancel()
            clients.kill()
    if "memory" in result:
        grown = (result["memory"] - before.memory) * 1024
        result["kb_per_client"] = grown / arguments.get("streams", 1)
    return result


def _watch(
    clients: "subprocess.Popen[str]", model: Upstream, subject: Subject, asked: dict[str, Any]
) -> Measured:
    marks: dict[str, Any] = {}
    meters: dict[str, Meter] = {}
    others: dict[str, Meter] = {}
    sent: dict[str, dict[str, float]] = {}
    assert clients.stdout is not None
    for line in clients.stdout:
        said = json.loads(line)
        marks[said["mark"]] = said
        if said["mark"] in ("begin", "end"):
            meters[said["mark"]] = Meter.read(subject.pids)
            if subject.others:
                others[said["mark"]] = Meter.read(subject.others)
            sent[said["mark"]] = model.stats() if said["mark"] == "begin" else model.finish()
    if "result" not in marks:
        return {"failures": 1, "error": "the clients did not end", "asked": _shown(asked)}
    spent = meters["begin"].until(meters["end"])
    services = others["begin"].until(others["end"]).cpu if others else 0.0
    return _judged(marks, spent, services, sent["end"], asked)


def _judged(
    marks: dict[str, Any],
    spent: Spent,
    services: float,
    sent: dict[str, float],
    asked: dict[str, Any],
) -> Measured:
    result: Measured = {"asked": _shown(asked)} | marks["result"]
    del result["mark"]
    streaming, tokens = marks["begin"]["streaming"], result["window_tokens"]
    result["clients_cpu"] = result.pop("cpu")
    result |= spent._asdict() | {
        "streaming": streaming,
        "connect_seconds": marks["connected"]["seconds"],
        "tokens_per_second": tokens / spent.seconds,
        "delivered": tokens / (streaming * RATE * spent.seconds) if streaming else 0.0,
        "us_per_token": (spent.cpu + services) / tokens * 1e6 if tokens else None,
        "us_per_token_services": services / tokens * 1e6 if tokens else None,
        "upstream_late": sent["late"] / sent["tokens"] if sent["tokens"] else 0.0,
    }
    result["quiet"] = spent.waited <= MAX_WAITED and spent.foreign <= MAX_FOREIGN
    result["load_full"] = spent.load >= FULL_LOAD
    return result


def holds(result: Measured) -> bool:
    """Whether the server held what was asked: no refusal, no loss, and in time."""
    return (
        not result["failures"]
        and not result["unfinished"]
        and result["streaming"] == result["asked"]["streams"]
        and result["delivered"] >= ENOUGH
        and result["ages"].get("p99", IN_TIME) < IN_TIME
    )


def overloaded(result: Measured) -> bool:
    """Whether clients and model server were at their limit: what was not held then says nothing
    of the server."""
    return bool(result.get("load_full")) or result.get("upstream_late", 0.0) > MAX_LATE


def _shown(asked: dict[str, Any]) -> dict[str, Any]:
    """Without keys and long questions."""
    return {name: value for name, value in asked.items() if name not in ("header", "ask")}
