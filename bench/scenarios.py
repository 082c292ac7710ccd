"""The scenarios, the most important first. Each returns its part of the results."""

import http.client
import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any, NamedTuple

from bench.capacity import complete, find_capacity, said, warm
from bench.measuring import Measured, Upstream, holds, measure
from bench.subjects import (
    SUBJECTS,
    Stage,
    Start,
    Subject,
    product,
    product_on_postgres,
    scaled_out,
)

OURS, FIRST_PEER = "Clawsite", "Express .create"
CURVE = (10, 50, 100, 200, 400, 600, 1000, 1500, 2000)
QUICK_CURVE = (50, 200, 600, 1000)
IDLE = 10_000
WATCHERS = 1000
RETURNING = 1000
HISTORY = 500  # answers, with as many questions


@dataclass
class Run:
    """One run: the time that it may take, and the results so far."""

    stage: Stage
    model: Upstream
    window: float  # seconds of one measurement
    repetitions: int
    quick: bool
    until: float  # time.monotonic(): begin nothing after it
    scale: float = 1.0  # of every number of clients
    capacities: dict[str, int] | None = None

    def capacity(self, name: str, door: str = "ws") -> dict[str, Any]:
        """The capacity of one subject, measured once."""
        print(f"  {name}, {door}", flush=True)
        start = SUBJECTS[name]
        found = find_capacity(start, self.stage, self.model, door, self.window, self.until)
        more = "" if complete(found) and not found["load_bound"] else ", or more"
        print(f"  {name}, {door}: {found['capacity']} streams{more}", flush=True)
        return found

    def warm(self, start: Start) -> AbstractContextManager[Subject]:
        """A subject that has answered before."""
        return warm(start, self.stage, self.model)

    def clients(self, count: int) -> int:
        """So many, or fewer in a run that only tries out the benchmark."""
        return max(1, round(count * self.scale))

    def measure(self, subject: Subject, door: str = "ws", **options: Any) -> Measured:
        """One measurement, and a line about it."""
        result = measure(self.model, subject, door, **{"window": self.window} | options)
        result["held"] = "us_per_token" in result and holds(result)
        streams = result["asked"].get("streams")
        print(f"    {subject.name}, {streams} clients: {said(result)}", flush=True)
        return result


def relay(run: Run) -> dict[str, Any]:
    """Capacity of a WebSocket relay, the product and its strongest peer in turn."""
    pairs = []
    for _ in range(run.repetitions):
        pair = {name: run.capacity(name) for name in (OURS, FIRST_PEER)}
        pairs.append(pair)
    run.capacities = {
        name: round(median(pair[name]["capacity"] for pair in pairs)) for name in (OURS, FIRST_PEER)
    }
    return {"pairs": pairs, "capacities": run.capacities}


def peers(run: Run) -> dict[str, Any]:
    """Capacity of the other peers."""
    names = [name for name in SUBJECTS if name not in (OURS, FIRST_PEER)]
    rounds = 1 if run.quick else 2
    return {name: [run.capacity(name) for _ in range(rounds)] for name in names}


def curve(run: Run) -> dict[str, Any]:
    """The cost of a token with more and more streams, until the server cannot hold them."""
    found: dict[str, list[Measured]] = {}
    for name in (OURS, FIRST_PEER):
        print(f"  {name}", flush=True)
        found[name] = []
        with run.warm(SUBJECTS[name]) as subject:
            for count in QUICK_CURVE if run.quick else CURVE:
                found[name].append(run.measure(subject, streams=run.clients(count)))
                if not found[name][-1]["held"] or time.monotonic() > run.until:
                    break
    return found


def first_token(run: Run) -> dict[str, Any]:
    """Time to the first token, and the age of every token: alone, beside 50, at 80 % of the
    capacity."""
    found: dict[str, dict[str, Measured]] = {}
    for name in (OURS, FIRST_PEER):
        full = (run.capacities or {}).get(name, 0)
        places = {"alone": 1, "50 streams": 50} | ({"80 %": round(0.8 * full)} if full else {})
        with run.warm(SUBJECTS[name]) as subject:
            found[name] = {
                place: run.measure(subject, streams=run.clients(count), probes=run.clients(50))
                for place, count in places.items()
            }
    return found


def workers(run: Run) -> dict[str, Any]:
    """One process with its journal against web, worker and Redis: CPU of all of them."""
    return _compare(run, {"embedded": product, "worker + Redis": scaled_out}, (50, 200))


def two(run: Run) -> dict[str, Any]:
    """Two web and two worker processes against one and one, on the same core."""
    starts: dict[str, Start] = {
        "1 + 1": scaled_out,
        "2 + 2": partial(scaled_out, each=2),
    }
    return _compare(run, starts, (200,))


def _compare(run: Run, starts: dict[str, Start], counts: tuple[int, ...]) -> dict[str, Any]:
    found: dict[str, list[Measured]] = {name: [] for name in starts}
    for _ in range(run.repetitions):
        for name, start in starts.items():
            with run.warm(start) as subject:
                for count in counts:
                    result = run.measure(subject, streams=run.clients(count), probes=25)
                    found[name].append(result)
    return found


def short(run: Run) -> dict[str, Any]:
    """Answers of 20 tokens, one after the other on each of 20 connections."""
    starts: dict[str, Start] = {
        "Clawsite, SQLite": product,
        "Clawsite, PostgreSQL": product_on_postgres,
        f"{FIRST_PEER}, no database": SUBJECTS[FIRST_PEER],
    }
    found: dict[str, list[Measured]] = {name: [] for name in starts}
    for _ in range(run.repetitions):
        for name, start in starts.items():
            with run.warm(start) as subject:
                options = {"streams": 20, "repeat": 1, "order": "tokens=20 every=1", "settle": 2}
                result = run.measure(subject, **options)
                answers = result.get("window_answers", 0)
                if answers:
                    result["answers_per_second"] = answers / result["seconds"]
                    result["ms_per_answer"] = result["cpu"] / answers * 1e3
                found[name].append(result)
    return found


def idle(run: Run) -> dict[str, Any]:
    """Connections that only are there: memory of each."""
    count = run.clients(IDLE)
    found: dict[str, Measured] = {}
    for name in (OURS, FIRST_PEER):
        with run.warm(SUBJECTS[name]) as subject:
            found[name] = run.measure(subject, streams=count, idle=1, window=2, patience=60)
    return found


def sse(run: Run) -> dict[str, Any]:
    """Capacity of an SSE relay."""
    names = (OURS, FIRST_PEER) if run.quick else (OURS, FIRST_PEER, "FastAPI .create")
    return {name: [run.capacity(name, "sse")] for name in names}


def slow(run: Run) -> dict[str, Any]:
    """Half of 40 clients stop reading answers of 400 KB a second; the others must not notice."""
    found: dict[str, dict[str, Measured]] = {}
    options = {"streams": 40, "order": "tokens=0 every=20 pad=8000", "window": 8.0}
    for name in (OURS, FIRST_PEER):
        found[name] = {}
        for stalled in (0, 20):
            with run.warm(SUBJECTS[name]) as subject:
                result = run.measure(subject, stalled=stalled, **options)
                found[name][f"{stalled} stalled"] = result
    return found


def watched(run: Run) -> dict[str, Any]:
    """One run that many watch."""
    with run.warm(product) as subject:
        run_id = _begin_run(subject)
        ask = f'{{"type":"resume","runId":"{run_id}","lastSeq":0}}'
        count = run.clients(WATCHERS)
        return {OURS: run.measure(subject, streams=count, ask=ask, starting=64)}


def resume(run: Run) -> dict[str, Any]:
    """A thousand clients, 5 tok/s each, are cut within a second and come back where they were."""
    with run.warm(product) as subject:
        count = run.clients(RETURNING)
        text = subject.doors["ws"].resume
        options = {"order": "tokens=0 every=200", "resume": text, "resumes": count, "window": 8.0}
        return {OURS: run.measure(subject, streams=count, **options)}


def history(run: Run) -> dict[str, Any]:
    """Time to the first token in a conversation of 1,000 messages, and in a new one."""
    ask = '{"type":"message","conversationId":"bench-history","content":"{order}"}'
    options = {"streams": 1, "repeat": 1, "ask": ask, "order": "tokens=5 every=1", "settle": 0}
    with run.warm(product) as subject:
        fresh = run.measure(subject, answers=20, window=20, **options)
        run.measure(subject, answers=run.clients(HISTORY), window=45, **options)
        return {
            "new": fresh,
            "1000 messages": run.measure(subject, answers=20, window=20, **options),
        }


def _begin_run(subject: Subject) -> str:
    """Ask over HTTP and leave; the answer goes on."""
    connection = http.client.HTTPConnection("127.0.0.1", subject.port, timeout=10)
    headers = {"Authorization": f"Bearer {subject.key}", "Content-Type": "application/json"}
    body = json.dumps({"message": "tokens=0 every=20"})
    connection.request("POST", "/api/chat/stream", body, headers)
    answer = connection.getresponse()
    for line in answer:
        if line.startswith(b"id: "):
            connection.close()
            return line[4:].partition(b":")[0].decode()
    raise RuntimeError("the run did not begin")


class Scenario(NamedTuple):
    """`seconds`: what it takes about, in a quick and in a full run; `alone`: without the peers."""

    name: str
    measure: Callable[[Run], dict[str, Any]]
    seconds: tuple[int, int]
    alone: bool = False


SCENARIOS = [
    Scenario("relay", relay, (140, 600)),
    Scenario("curve", curve, (50, 150)),
    Scenario("peers", peers, (160, 400)),
    Scenario("first_token", first_token, (50, 70)),
    Scenario("workers", workers, (50, 120), alone=True),
    Scenario("idle", idle, (40, 50)),
    Scenario("short", short, (40, 120)),
    Scenario("sse", sse, (110, 250)),
    Scenario("slow", slow, (60, 60)),
    Scenario("watched", watched, (20, 25), alone=True),
    Scenario("resume", resume, (30, 35), alone=True),
    Scenario("history", history, (45, 50), alone=True),
    Scenario("two", two, (45, 90), alone=True),
]
