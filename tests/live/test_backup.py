"""docs/deploy.md: backups that are made while an answer is streamed, by the commands as they stand
there; and changes of the database meanwhile (P40)."""

import asyncio
import os
import re
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.documents import section
from tests.live.clients import Rest
from tests.live.server import Server, environment, install
from tests.live.watching import Watch, check_history, check_run
from tests.postgres_server import Databases
from tests.upstream import expected_text
from tests.upstream.process import UpstreamProcess

pytestmark = pytest.mark.embedded  # it makes its own databases

SLOW = "[[upstream tokens=60 delay=20]]"
ENDLESS = "[[upstream tokens=20 mode=stall]]"  # five words, then nothing
COLUMN = "ALTER TABLE conversations_run ADD COLUMN added_meanwhile integer NULL"


@dataclass
class Place:
    """A server with its data below `folder`, and the section that says how to keep it."""

    server: Server
    folder: Path
    title: str

    def follow(self, step: int) -> None:
        """Carry out the backup (0) or the restore (1)."""
        script = re.findall(r"```sh\n(.*?)```", section("docs/deploy.md", self.title), re.DOTALL)
        subprocess.run(
            ["sh", "-euc", script[step]],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "REDIS_URL": "", **self.server.env},
            check=True,
            capture_output=True,
        )

    def change(self, statement: str) -> None:
        """What a migration does, from another process."""
        if self.title == "SQLite":
            with sqlite3.connect(self.server.database, timeout=10) as connection:
                connection.execute(statement)
        else:
            with psycopg.connect(self.server.env["DATABASE_URL"]) as connection:
                connection.execute(statement)


@pytest.fixture(params=["SQLite", pytest.param("PostgreSQL", marks=pytest.mark.postgres)])
def place(
    request: pytest.FixtureRequest, upstream: UpstreamProcess, tmp_path: Path
) -> Iterator[Place]:
    env = environment(
        tmp_path / "db.sqlite3", upstream.url, CLAW_DATA_DIR=str(tmp_path / "db.sqlite3.runs")
    )
    databases = Databases() if request.param == "PostgreSQL" else None
    if databases is not None:
        env["DATABASE_URL"] = databases.create()
    server = Server(env, tmp_path, install(env))
    try:
        yield Place(server.start(), tmp_path, request.param)
    finally:
        server.kill()
        if databases is not None:
            databases.drop_all()


async def test_what_was_backed_up_is_there_again_and_ids_stay_valid(place: Place) -> None:
    """P40: history, positions to resume from and keys; what was being said then ends, with what it
    had said; what came later is gone without a trace."""
    server = place.server
    finished, running = Watch(server), Watch(server)
    await finished.ws({"content": "[[upstream tokens=30]]"})
    asking = asyncio.create_task(running.ws({"content": ENDLESS}))
    await running.until(lambda: running.tokens == 5)
    await asyncio.to_thread(place.follow, 0)

    later = Watch(server)
    await later.ws({"content": "[[upstream tokens=3]]"})
    await asyncio.to_thread(server.kill)
    await asyncio.gather(asking, return_exceptions=True)
    await asyncio.to_thread(place.follow, 1)
    await asyncio.to_thread(server.start)

    async with Rest(server.url, server.keys.acme) as rest:
        await check_history(rest, finished.events)
        again = Watch(server, finished.run_id)
        again.events, again.last = finished.events[:7], finished.events[6]["seq"]
        await again.sse(path=f"/api/runs/{finished.run_id}/events")
        assert again.events == finished.events

        await running.ws()
        outcome = check_run(running.events, expected_text("tokens=5"))
        assert outcome["code"] == "run_interrupted"
        await check_history(rest, running.events)

        assert (await rest.get(f"/api/runs/{later.run_id}")).status_code == 404
        answer = await rest.post("/api/chat", {"message": "[[upstream tokens=4]]"})
        assert answer.json()["content"] == expected_text("tokens=4")


async def test_the_database_changes_while_answers_are_streamed(place: Place) -> None:
    """P40: nobody is cut, nothing is lost, and `migrate` may run as well."""
    watches = [Watch(place.server) for _ in range(4)]
    asking = [asyncio.create_task(watch.ws({"content": SLOW})) for watch in watches]
    await asyncio.gather(*(watch.until(lambda w=watch: w.tokens >= 3) for watch in watches))
    await asyncio.to_thread(place.change, COLUMN)
    await asyncio.to_thread(place.server.manage, "migrate", "--no-input")
    await asyncio.gather(*asking)
    async with Rest(place.server.url, place.server.keys.acme) as rest:
        for watch in watches:
            check_run(watch.events, expected_text("tokens=60"))
            await check_history(rest, watch.events)
