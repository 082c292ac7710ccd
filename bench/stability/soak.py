"""Mixed load with faults on one process for as long as you like, and what is left of it.

    python -m bench.stability.soak --minutes 30

Clients over every door that drop, resume, stop, stall and talk nonsense, and a model server that
fails. Every run is checked. At the end memory must have grown by 1 MB a minute at most, and file
descriptors, threads and tasks must be what they were before; else the exit code is 1.
"""

import argparse
import asyncio
import contextlib
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import linear_regression
from typing import NamedTuple
from urllib.request import urlopen

from bench.machine import cpu_seconds, description, rss_mb
from tests.live.clients import Rest, Sse, WebSocket
from tests.live.raw import RawSocket, handshake, new_tag, request, text_frame
from tests.live.server import Server, environment, free_port, install
from tests.live.watching import Watch, check_run
from tests.upstream.process import UpstreamProcess

CLIENTS = 30
MODES = ["text"] * 8 + ["thinking", "unknown", "empty", "tool tool=weather pre=3", "error", "drop"]
MODES += ["truncate", "malformed", "nostop", "http status=400", "refuse times=1", "stall stall=500"]
WARM_UP = 0.25  # of the samples: caches and the allocator's arenas fill
WARM_UP_SECONDS = 10.0
MAX_MB_PER_MINUTE = 1.0
SAMPLE_SECONDS = 5.0
SETTLE_SECONDS = 60.0
SETTINGS = {
    "CLAW_MAX_MESSAGES_PER_MINUTE": "100000",
    "CLAW_FAILED_AUTH_PER_MINUTE": "100000",
    "CLAW_MAX_CONNECTIONS_PER_AGENT": "1000",
    "CLAW_SLOW_CONSUMER_TIMEOUT": "3",
    # The memory for ended runs grows until the first of them is forgotten.
    "CLAW_LOG_RETENTION": "20",
}

Activity = Callable[[Server, random.Random], Awaitable[None]]


class Sample(NamedTuple):
    """Everything that the server process holds at one moment."""

    at: float
    rss: float
    descriptors: int
    threads: int
    tasks: int

    @classmethod
    def take(cls, server: Server) -> "Sample":
        process = Path(f"/proc/{server.pid}")
        with urlopen(f"{server.url}/metrics", timeout=30) as answer:
            tasks = re.search(r'clawsite_tasks{state="pending"} (\d+)', answer.read().decode())
        assert tasks is not None
        return cls(
            time.monotonic(),
            rss_mb(server.pid),
            len(list((process / "fd").iterdir())),
            len(list((process / "task").iterdir())),
            int(tasks[1]),
        )

    @property
    def counts(self) -> tuple[int, int, int]:
        return self.descriptors, self.threads, self.tasks


def message(choose: random.Random) -> str:
    """A random answer of the model server."""
    keys = f"mode={choose.choice(MODES)} tokens={choose.randint(0, 150)}"
    return f"hello [[upstream {keys} at={choose.randint(0, 60)} delay={choose.choice([0, 5, 20])}]]"


async def watch(server: Server, choose: random.Random) -> None:
    """Ask over one door, drop, resume over another, stop now and then."""
    body = {"clientMessageId": new_tag(), "onDisconnect": choose.choice(["continue", "cancel"])}
    text, seen = message(choose), Watch(server, merge=choose.random() < 0.3)
    while not seen.done:
        tokens = choose.choice([-1, 0, 5, 40, 1000])
        if choose.random() < 0.5:
            await seen.ws({**body, "content": text}, tokens=tokens)
        else:
            await seen.sse({**body, "message": text}, tokens=tokens)
        if seen.run_id and choose.random() < 0.2:
            async with Rest(server.url, server.keys.acme) as rest:
                await rest.post(f"/api/runs/{seen.run_id}/cancel")
    check_run(seen.events)


async def talk(server: Server, choose: random.Random) -> None:
    """One socket: several messages at a time, a subscription, a stop, an idle moment."""
    async with await WebSocket.open(server.ws_url, server.keys.acme) as socket:
        name = new_tag()
        for _ in range(choose.randint(1, 4)):
            await socket.send(type="message", content=message(choose), conversationId=name)
        await socket.until("run_started")
        await socket.send(type="subscribe", conversationId=name)
        if choose.random() < 0.5:
            await socket.send(type="cancel")
        await socket.until("done")
        if choose.random() < 0.5:
            socket.cut()


async def rest(server: Server, choose: random.Random) -> None:
    """Ask by REST, read, list, delete; a client that hangs up before it is answered."""
    async with Rest(server.url, server.keys.acme) as client:
        body = {"message": message(choose), "conversationId": new_tag()}
        patience = choose.choice([0.2, 60])
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await client.post("/api/chat", body)
        await client.get(f"/api/conversations/{body['conversationId']}/messages")
        await client.get("/api/conversations")
        await client.request("DELETE", f"/api/conversations/{body['conversationId']}")


async def follow(server: Server, choose: random.Random) -> None:
    """A stream of a conversation that stays open over several answers."""
    async with Rest(server.url, server.keys.acme) as client:
        name = new_tag()
        await client.post("/api/conversations", {"id": name})
        url = f"{server.url}/api/chat/stream?conversationId={name}"
        async with await Sse.open(url, server.keys.acme, method="GET") as stream:
            for _ in range(choose.randint(1, 3)):
                await client.post("/api/chat", {"message": message(choose), "conversationId": name})
            if choose.random() < 0.5:
                stream.cut()


async def stall(server: Server, choose: random.Random) -> None:
    """Ask for much and read nothing of it, until the server gives up or we do."""
    ask = "go [[upstream tokens=4000 size=500]]"
    async with await RawSocket.open(server, receive_buffer=4096) as raw:
        if choose.random() < 0.5:
            await raw.send(handshake(server))
            await raw.until(b"auth_ok")
            await raw.send(text_frame(type="message", content=ask))
        else:
            await raw.send(
                request(server, "POST", "/api/chat/stream", f'{{"message":"{ask}"}}'.encode())
            )
        await asyncio.sleep(choose.choice([0.5, 5]))


async def nonsense(server: Server, choose: random.Random) -> None:
    """Wrong keys, broken frames, half a request."""
    async with await WebSocket.open(server.ws_url) as socket:
        await socket.send(type="auth", token="claw_live_wrong")
        await socket.closed()
    async with await WebSocket.open(server.ws_url, server.keys.acme) as socket:
        for text in ("{", "[]", '{"type": "future"}', '{"type": "message"}', "[" * 5000):
            await socket.connection.send(text)
            await socket.until("error")
    async with await RawSocket.open(server) as raw:
        await raw.send(request(server, "POST", "/api/chat", b"{}")[: choose.randint(1, 200)])
        raw.cut()


ACTIVITIES: list[Activity] = [watch] * 6 + [talk] * 2 + [rest] * 2 + [follow, stall, nonsense]


async def load(server: Server, seconds: float, counts: Counter[str]) -> None:
    """All clients, each doing one thing after the other."""
    end = time.monotonic() + seconds

    async def client(choose: random.Random) -> None:
        while time.monotonic() < end:
            activity = choose.choice(ACTIVITIES)
            await activity(server, choose)
            counts[activity.__name__] += 1  # type: ignore[attr-defined]

    async with asyncio.TaskGroup() as group:
        for seed in range(CLIENTS):
            group.create_task(client(random.Random(seed)))


async def sampling(server: Server, samples: list[Sample]) -> None:
    """A sample every few seconds, and a line every minute."""
    while True:
        samples.append(await asyncio.to_thread(Sample.take, server))
        if len(samples) % round(60 / SAMPLE_SECONDS) == 1:
            print(line(samples[-1], samples[0]), flush=True)
        await asyncio.sleep(SAMPLE_SECONDS)


def line(sample: Sample, first: Sample) -> str:
    return (
        f"{sample.at - first.at:6.0f} s: {sample.rss:6.1f} MB, {sample.descriptors} descriptors,"
        f" {sample.threads} threads, {sample.tasks} tasks"
    )


async def quiet(server: Server, before: Sample | None = None) -> Sample:
    """A sample when no client asks for anything; with `before`, once it equals that again."""
    until = time.monotonic() + SETTLE_SECONDS
    sample = await asyncio.to_thread(Sample.take, server)
    while time.monotonic() < until and (
        before is None or any(a > b for a, b in zip(sample.counts, before.counts, strict=True))
    ):
        await asyncio.sleep(1)
        sample = await asyncio.to_thread(Sample.take, server)
    return sample


async def soak(server: Server, port: int, minutes: float) -> bool:
    """Whether nothing was left behind. The model server is gone whenever that is counted: idle
    connections to it are kept for a while on purpose."""
    counts: Counter[str] = Counter()
    samples: list[Sample] = []
    with UpstreamProcess(port):  # fills the pools, so that there is a start to come back to
        await load(server, WARM_UP_SECONDS, Counter())
    before = await quiet(server)
    cpu, sampler = cpu_seconds(server.pid), asyncio.create_task(sampling(server, samples))
    with UpstreamProcess(port):
        await load(server, minutes * 60, counts)
    sampler.cancel()
    await asyncio.gather(sampler, return_exceptions=True)
    cpu = cpu_seconds(server.pid) - cpu
    after = await quiet(server, before)
    warm = samples[int(len(samples) * WARM_UP) :]
    slope = 60 * linear_regression([s.at for s in warm], [s.rss for s in warm]).slope
    errors = server.log.count('"level": "ERROR"') + server.log.count("\nTraceback")
    print(f"\nbefore: {line(before, before)}\nafter:  {line(after, before)}")
    print(f"memory: {slope:+.2f} MB a minute after the warm-up; most {max(s.rss for s in samples)}")
    print(f"CPU {cpu / (minutes * 60):.0%} of a core; errors in the log: {errors}; {dict(counts)}")
    back = all(a <= b for a, b in zip(after.counts, before.counts, strict=True))
    return slope <= MAX_MB_PER_MINUTE and back and not errors


def main() -> None:
    parser = argparse.ArgumentParser(description="What mixed load leaves behind.")
    parser.add_argument("--minutes", type=float, default=30)
    minutes = parser.parse_args().minutes
    print(description())
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        env = environment(Path(folder) / "db.sqlite3", f"http://127.0.0.1:{port}", **SETTINGS)
        server = Server(env, Path(folder), install(env)).start()
        try:
            sound = asyncio.run(soak(server, port, minutes))
        finally:
            server.kill()
    print("nothing is left behind" if sound else "FAILED")
    sys.exit(not sound)


if __name__ == "__main__":
    main()
