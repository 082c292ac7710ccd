"""The chaos loop: everything that can die dies, again and again, and nobody loses anything.

    python -m bench.stability.chaos --minutes 3

Two web processes and two workers on PostgreSQL and Redis of their own; clients that come back.
Every few seconds one of: a worker or a web process killed or told to leave, Redis or PostgreSQL
away for up to two seconds, all clients cut. In the end every message is there once (P1), every
answer has come whole and once (P2) with one outcome (P5), and what was used adds up (P13);
a violation ends it with exit code 1.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path

from bench.machine import description, rss_mb
from tests.live.installation import ScaledOut
from tests.live.scaled.asking import Asker, query
from tests.live.scaled.stack import Stack
from tests.live.server import Server, free_port
from tests.live.watching import check_run
from tests.postgres_server import Databases, PostgresServer
from tests.upstream.process import UpstreamProcess

CLIENTS = 24
PAUSES = (2.0, 8.0)  # seconds between two strikes
AWAY = 2.0  # seconds that a service is away at most
END_SECONDS = 60.0  # for the last runs to end
CONTENT = "[[upstream tokens={tokens} delay={delay}]]"
SETTINGS = {
    "CLAW_MAX_MESSAGES_PER_MINUTE": "1000000",
    "CLAW_MAX_CONNECTIONS_PER_AGENT": "10000",
    "CLAW_SHUTDOWN_GRACE": "2",
}


class Chaos:
    """One installation, its clients, and what strikes it."""

    def __init__(self, stack: Stack, postgres: PostgresServer, seed: int) -> None:
        self.stack, self.postgres = stack, postgres
        self.choose = random.Random(seed)
        self.until = 0.0
        self.ended: Counter[str] = Counter()
        self.strikes: Counter[str] = Counter()
        self.violations: list[str] = []
        self.asked: list[str] = []
        self.open: dict[int, Asker] = {}
        self.rss: list[tuple[float, float]] = []  # minutes, MB: of a web process that lives on

    async def run(self, minutes: float) -> None:
        """Strike for so long, then wait for the last runs."""
        self.until = time.monotonic() + minutes * 60
        async with asyncio.TaskGroup() as group:
            clients = [group.create_task(self.client(number)) for number in range(CLIENTS)]
            await self.strike()
            _, late = await asyncio.wait(clients, timeout=END_SECONDS)
            for task in late:
                task.cancel()
        for asker in self.open.values():
            self.violations.append(f"{asker.watch.run_id or asker.key} did not end")
            asker.reading.cancel()

    async def client(self, number: int) -> None:
        """Ask one question after the other."""
        while time.monotonic() < self.until:
            tokens, delay = self.choose.randint(5, 150), self.choose.randint(2, 40)
            content = f"{number}-{len(self.asked)} {CONTENT.format(tokens=tokens, delay=delay)}"
            self.asked.append(content)
            self.open[number] = asker = Asker(self.stack, content)
            try:
                await asker.reading
                self.ended[check_run(asker.watch.events)["type"]] += 1
            except Exception as error:  # noqa: BLE001 - whatever it is, it is a violation
                where = traceback.format_exception(error, limit=-1)
                types = [event["type"] for event in asker.watch.events]
                tokens = [e["index"] for e in asker.watch.events if e["type"] == "token"]
                self.violate(f"{asker.watch.run_id}: {''.join(where)} {Counter(types)} {tokens}")
            del self.open[number]

    def violate(self, what: str) -> None:
        self.violations.append(what)
        print(what, flush=True)

    async def strike(self) -> None:
        """One after the other; the last one is over when this returns."""
        ways: list[Callable[[], Awaitable[None]]] = [
            self.kill_worker,
            self.end_worker,
            self.kill_web,
            self.end_web,
            self.redis_away,
            self.postgres_away,
            self.cut_clients,
        ]
        begun = time.monotonic()
        while time.monotonic() < self.until:
            await asyncio.sleep(self.choose.uniform(*PAUSES))
            way = self.choose.choice(ways)
            self.strikes[way.__name__] += 1
            await way()
            minutes = (time.monotonic() - begun) / 60
            self.rss.append((minutes, rss_mb(self.stack.workers[1].pid)))
            ended, violations = sum(self.ended.values()), len(self.violations)
            print(f"{minutes:.1f} min: {ended} runs ended, {violations} violations", flush=True)

    # Workers and web processes with the number 1 live on, so that their memory can be watched.

    async def kill_worker(self) -> None:
        await again(self.stack.workers[0], Server.kill)

    async def end_worker(self) -> None:
        await again(self.stack.workers[0], Server.stop)

    async def kill_web(self) -> None:
        await again(self.stack.webs[0], Server.kill)

    async def end_web(self) -> None:
        await again(self.stack.webs[0], Server.stop)

    async def redis_away(self) -> None:
        await asyncio.to_thread(self.stack.redis.kill)
        await asyncio.sleep(self.choose.uniform(0, AWAY))
        await asyncio.to_thread(self.stack.redis.start)

    async def postgres_away(self) -> None:
        await asyncio.to_thread(self.postgres.kill)
        await asyncio.sleep(self.choose.uniform(0, AWAY))
        await asyncio.to_thread(self.postgres.start)

    async def cut_clients(self) -> None:
        for asker in self.open.values():
            if asker.watch.socket is not None:
                asker.watch.socket.cut()

    def check(self) -> None:
        """Compares the clients' findings with the database at the end."""
        rows = query(
            self.stack,
            "SELECT content, count(*) FROM conversations_message WHERE role = 'user' GROUP BY 1",
        )
        stored = dict(rows)
        for content in self.asked:
            if stored.get(content) != 1:
                self.violations.append(f"P1: {content!r} is there {stored.get(content, 0)} times")
        unfinished = query(
            self.stack,
            "SELECT id, status, attempt FROM conversations_run WHERE status NOT IN"
            " ('completed', 'cancelled', 'failed', 'interrupted')",
        )
        self.violations += [f"P5: {row} has not ended" for row in unfinished]
        if jobs := query(self.stack, "SELECT id, status FROM procrastinate_jobs"):
            self.violations.append(f"jobs are left: {jobs}")
        wrong = query(
            self.stack,
            "SELECT id FROM conversations_run WHERE (usage->>'totalTokens')::int <>"
            " (usage->>'inputTokens')::int + (usage->>'outputTokens')::int OR usage IS NULL",
        )
        self.violations += [f"P13: the usage of {row} does not add up" for row in wrong]

    def slope(self) -> float:
        """Growth of the long-lived worker, MB a minute, over the second half of the time."""
        half = self.rss[len(self.rss) // 2 :]
        (first, before), (last, after) = half[0], half[-1]
        return (after - before) / (last - first) if last > first else 0.0


async def again(process: Server, end: Callable[[Server], object]) -> None:
    """End it, and start it again."""
    await asyncio.to_thread(end, process)
    await asyncio.to_thread(process.start)


def main() -> None:
    parser = argparse.ArgumentParser(description="Kill everything, lose nothing.")
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--seed", type=int, default=4)
    options = parser.parse_args()
    with ExitStack() as owned:
        folder = Path(owned.enter_context(tempfile.TemporaryDirectory()))
        (folder / "installation").mkdir()
        upstream = owned.enter_context(UpstreamProcess(free_port()))
        postgres = PostgresServer()
        owned.callback(postgres.remove)
        postgres.start()
        made = ScaledOut(Databases(postgres.url), folder / "installation", upstream.url)
        stack = owned.enter_context(made.deployed(folder, **SETTINGS))
        query(stack, "UPDATE agents_agent SET on_crash = 'continue' WHERE slug = 'acme-agent'")
        stack.start()
        chaos = Chaos(stack, postgres, options.seed)
        asyncio.run(chaos.run(options.minutes))
        chaos.check()
        report(chaos)
    sys.exit(1 if chaos.violations else 0)


def report(chaos: Chaos) -> None:
    """Print the figures and every violation."""
    print(description())
    print(f"runs {sum(chaos.ended.values())}: {dict(chaos.ended)}")
    print(f"strikes: {dict(chaos.strikes)}")
    if chaos.rss:
        print(f"long-lived worker: {chaos.rss[-1][1]:.0f} MB, {chaos.slope():+.2f} MB a minute")
    print(f"violations: {len(chaos.violations)}")
    for violation in chaos.violations[:50]:
        print(f"  {violation}")
    # channels_redis shouts whenever Redis is away.
    errors = [
        line
        for line in chaos.stack.log.splitlines()
        if '"level": "ERROR"' in line and "channels_redis" not in line
    ]
    print(f"errors in the logs: {len(errors)}")
    for error in errors[:20]:
        print(f"  {error[:2000]}")


if __name__ == "__main__":
    main()
