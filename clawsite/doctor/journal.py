"""The folder of the run journals, in the embedded mode."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from clawsite.doctor.finding import Finding, problem, well

MIN_FREE_MB = 200  # three of the longest runs


def check_journal(folder: Path) -> Iterator[Finding]:
    """Findings about `CLAW_DATA_DIR`. Disturbs no server."""
    place = folder if folder.exists() else folder.parent
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
        free = shutil.disk_usage(place).free // 2**20
        served = _locked(folder / ".lock")
    except OSError as error:
        yield problem(
            "journal",
            f"{folder} cannot be used: {error.strerror}.",
            "Give it to the user that the server runs as, or set CLAW_DATA_DIR.",
        )
        return
    if free < MIN_FREE_MB:
        yield problem(
            "journal",
            f"{free} MB are free in {folder}: without space answers break off.",
            "Make space, or set CLAW_DATA_DIR to a larger disk.",
        )
        return
    who = "a server has it" if served else "no server runs"
    yield well("journal", f"{folder} is writable, {free} MB are free, and {who}.")


def _locked(path: Path) -> bool:
    """Whether a server holds the lock; a shared one of ours would not last long enough to stop it
    from starting, which it tries again and again."""
    if not path.exists():
        return False
    file = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False
