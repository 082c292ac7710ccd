"""`conversations.process.journal_lock`: one serving process for one journal."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from conversations.process.journal_lock import JournalBusy, JournalLock

HOLD = """import fcntl, sys
with open(sys.argv[1]) as file:
    fcntl.flock(file, fcntl.LOCK_EX)
    print('held', flush=True)
    input()
"""


@pytest.fixture
def lock(tmp_path: Path, db: None) -> Iterator[JournalLock]:
    lock = JournalLock(tmp_path / "runs")
    yield lock
    lock.release()


@pytest.fixture
def other_process(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the journal's lock."""
    (tmp_path / "runs").mkdir()
    file = tmp_path / "runs" / ".lock"
    file.touch()
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", HOLD, str(file)], **pipes) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


async def test_it_works(lock, tmp_path):
    await lock.acquire(0)
    second = JournalLock(tmp_path / "runs")
    with pytest.raises(JournalBusy, match="Another Clawsite server"):
        await second.acquire(0)
    lock.release()
    await second.acquire(0)
    second.release()


async def test_another_journal_is_another_lock(lock, tmp_path):
    other = JournalLock(tmp_path / "other")
    await lock.acquire(0)
    if connection.vendor == "sqlite":
        await other.acquire(0)
    else:
        with pytest.raises(JournalBusy, match="this database"):
            await other.acquire(0)
    other.release()


async def test_whoever_was_refused_holds_nothing(lock, other_process):
    with pytest.raises(JournalBusy, match="the journal in"):
        await lock.acquire(0)
    assert lock._file is None and lock._session is None


async def test_a_second_process_is_refused_until_the_first_is_killed(lock, other_process):
    with pytest.raises(JournalBusy):
        await lock.acquire(0)
    other_process.send_signal(signal.SIGKILL)
    await asyncio.to_thread(other_process.wait)
    await lock.acquire(0)


async def test_a_process_about_to_leave_is_waited_for(lock, other_process):
    waiting = asyncio.create_task(lock.acquire(10))
    await asyncio.sleep(0)
    other_process.communicate("leave\n")
    await asyncio.wait_for(waiting, 5)


def test_releasing_twice_does_no_harm(lock):
    lock.release()
    lock.release()
