"""`manage.py backup` and `restore` as docs/deploy.md shows them: backups that are made while an
answer is streamed; what fails says so and leaves nothing; and changes of the database meanwhile
(P40)."""

import asyncio
import json
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.documents import ROOT, code
from tests.live.belongings import master_key
from tests.live.clients import Rest
from tests.live.server import Keys, Server, environment, install, manage
from tests.live.test_command_center import until, watching
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
    """A server with its data below `folder`, and the name of its database."""

    server: Server
    folder: Path
    title: str

    def follow(self, step: int) -> None:
        """Carry out the backup (0) or the restore (1), as it is documented."""
        command = list(code("docs/deploy.md", "sh"))[step].text.split("manage.py ")[1]
        arguments = command.replace("/var/backups/clawsite", str(self.backups)).split()
        self.server.manage(*arguments)

    @property
    def backups(self) -> Path:
        return self.folder / "backups"

    def refused(self, *command: str, limit: int = 0, **settings: str) -> str:
        """Why a command has failed; `limit`: no file may have more bytes."""
        shell = f"ulimit -f {limit}; " if limit else ""
        done = subprocess.run(
            [
                "/bin/bash",
                "-c",
                f'{shell}exec "$@"',
                "-",
                sys.executable,
                ROOT / "manage.py",
                *command,
            ],
            env=self.server.env | settings,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1, done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr

    def change(self, statement: str) -> None:
        """What a migration does, from another process."""
        if self.title == "SQLite":
            with closing(sqlite3.connect(self.server.database, timeout=10)) as connection:
                connection.execute(statement)
                connection.commit()
        else:
            with psycopg.connect(self.server.env["DATABASE_URL"]) as connection:
                connection.execute(statement)


@dataclass
class Template:
    """An installation that is copied for each test; `databases`: it is in PostgreSQL."""

    env: dict[str, str]
    keys: Keys
    databases: Databases | None

    def copied(self, folder: Path) -> dict[str, str]:
        """The environment of a copy in this folder."""
        data = {"CLAW_DATA_DIR": str(folder / "db.sqlite3.runs")}
        url = self.env["DATABASE_URL"]
        if self.databases is not None:
            return self.env | data | {"DATABASE_URL": self.databases.create(url)}
        path = folder / "db.sqlite3"
        shutil.copy(url.removeprefix("sqlite:///"), path)
        return self.env | data | {"DATABASE_URL": f"sqlite:///{path}"}


@pytest.fixture(
    scope="module", params=["SQLite", pytest.param("PostgreSQL", marks=pytest.mark.postgres)]
)
def template(
    request: pytest.FixtureRequest,
    upstream: UpstreamProcess,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Template]:
    folder = tmp_path_factory.mktemp("template")
    env = environment(folder / "db.sqlite3", upstream.url, CLAW_DATA_DIR=str(folder / "runs"))
    databases = Databases() if request.param == "PostgreSQL" else None
    if databases is not None:
        env["DATABASE_URL"] = databases.create()
    try:
        yield Template(env, install(env), databases)
    finally:
        if databases is not None:
            databases.drop_all()


@pytest.fixture
def place(template: Template, tmp_path: Path) -> Iterator[Place]:
    """A copy of the installation; its server is not started."""
    server = Server(template.copied(tmp_path), tmp_path, template.keys)
    try:
        yield Place(server, tmp_path, "PostgreSQL" if template.databases else "SQLite")
    finally:
        server.kill()


async def test_what_was_backed_up_is_there_again_and_ids_stay_valid(place: Place) -> None:
    """P40: history, positions to resume from and keys; what was being said then ends, with what it
    had said; what came later is gone without a trace."""
    server = place.server.start()
    finished, running = Watch(server), Watch(server)
    await finished.ws({"content": "[[upstream tokens=30]]"})
    asking = asyncio.create_task(running.ws({"content": ENDLESS}))
    await running.until(lambda: running.tokens == 5)
    watcher = master_key(server, "acme")
    async with watching(server, watcher) as stream:
        position = (await until(stream, "state"))[0]["_id"]
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
        async with watching(server, watcher, after=position) as stream:
            assert [each["type"] for each in await until(stream, "state")] == ["reset", "state"]
        answer = await rest.post("/api/chat", {"message": "[[upstream tokens=4]]"})
        assert answer.json()["content"] == expected_text("tokens=4")


def test_every_backup_is_a_new_one_that_only_its_owner_reads(place: Place) -> None:
    made = [json.loads(place.server.manage("backup", str(place.backups), "--json")) for _ in "ab"]
    assert made[0]["folder"] != made[1]["folder"]
    assert sorted(place.backups.iterdir()) == sorted(Path(each["folder"]) for each in made)
    for path in [place.backups, *place.backups.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    manifest = json.loads((Path(made[1]["folder"]) / "manifest.json").read_text())
    assert manifest["database"] == place.title.lower()
    assert sum(file["bytes"] for file in manifest["files"].values()) == made[1]["bytes"] > 0


def test_a_restore_refuses_to_harm(place: Place) -> None:
    place.server.start()
    place.follow(0)
    (backup,) = place.backups.iterdir()
    restore = ("restore", str(backup))
    said = place.refused(*restore, "--force")
    assert "server is running" in said or "other connections" in said
    place.server.kill()
    assert "--force" in place.refused(*restore)

    (dump,) = backup.glob("database.*")
    whole = dump.read_bytes()
    dump.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert "not what was written" in place.refused(*restore, "--force")
    dump.unlink()
    assert "is missing" in place.refused(*restore, "--force")
    dump.write_bytes(whole)
    (backup / "manifest.json").rename(backup / "manifest")
    assert "no backup" in place.refused(*restore, "--force")
    assert "no folder" in place.refused("restore", str(place.folder / "nowhere"), "--force")


def test_what_a_later_version_has_added_goes_with_a_restore(place: Place) -> None:
    place.follow(0)
    place.change("CREATE TABLE added_later (run_id varchar(40) REFERENCES conversations_run (id))")
    place.change(COLUMN)
    place.follow(1)
    place.server.manage("migrate", "--check")
    with pytest.raises((sqlite3.OperationalError, psycopg.errors.UndefinedTable)):
        place.change("SELECT * FROM added_later")


def test_a_backup_that_fails_says_why_and_leaves_nothing(place: Place) -> None:
    folder = str(place.backups)
    said = place.refused("backup", folder, limit=8)  # kB: the disk is full
    assert "No backup was made." in said
    assert list(place.backups.iterdir()) == []

    place.backups.rmdir()
    place.backups.write_text("a file")
    assert "No backup was made." in place.refused("backup", folder)
    place.backups.unlink()

    if place.title == "SQLite":
        elsewhere = place.folder / "elsewhere.sqlite3"
        gone = {"DATABASE_URL": f"sqlite:///{elsewhere}"}
        assert "There is no database at" in place.refused("backup", folder, **gone)
        assert not elsewhere.exists()
        elsewhere.write_bytes(b"no database" * 1000)
        assert "not a database" in place.refused("backup", folder, **gone)
        elsewhere.write_bytes(b"")
        assert "cannot be read" in place.refused("backup", folder, **gone)
    else:
        url = place.server.env["DATABASE_URL"]
        assert "pg_dump is not installed" in place.refused("backup", folder, PATH="/nowhere")
        wrong = url.replace("clawsite:clawsite@", "stranger:wrong@")
        assert "stranger" in place.refused("backup", folder, DATABASE_URL=wrong)
        assert "pg_dump failed" in place.refused("backup", folder, DATABASE_URL=f"{url}_gone")
    assert list(place.backups.iterdir()) == []


def test_a_backup_of_one_database_is_none_of_another(place: Place, tmp_path: Path) -> None:
    place.follow(0)
    other = "postgres://x@127.0.0.1:9/x" if place.title == "SQLite" else f"sqlite:///{tmp_path}/x"
    assert "The backup is of" in place.refused("restore", str(place.backups), DATABASE_URL=other)


def test_it_goes_to_another_installation_without_force(place: Place) -> None:
    place.follow(0)
    env = dict(place.server.env, CLAW_DATA_DIR=str(place.folder / "journals" / "new"))
    if place.title == "SQLite":
        env["DATABASE_URL"] = f"sqlite:///{place.folder}/new/db.sqlite3"
        manage(env, "restore", str(place.backups))
        database = place.folder / "new" / "db.sqlite3"
        assert stat.S_IMODE(database.stat().st_mode) == 0o600
        assert not list(database.parent.glob("*restoring*"))
    else:
        databases = Databases()
        env["DATABASE_URL"] = databases.create()
        try:
            manage(env, "restore", str(place.backups))
            manage(env, "migrate", "--check")
        finally:
            databases.drop_all()


async def test_the_database_changes_while_answers_are_streamed(place: Place) -> None:
    """P40: nobody is cut, nothing is lost, and `migrate` may run as well."""
    place.server.start()
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
