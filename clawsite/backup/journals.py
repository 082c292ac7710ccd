"""The journals of runs: what clients resume from."""

import os
import shutil
from pathlib import Path

from engine.log.file import SUFFIX

FOLDER = "runs"


def copy_journals(source: Path, backup: Path) -> int:
    """Copy every journal into the backup; returns how many. One that is being written is copied as
    far as it is, one that expires meanwhile is no loss."""
    target = backup / FOLDER
    target.mkdir(mode=0o700)
    count = 0
    for path in sorted(source.glob(f"*{SUFFIX}")):
        try:
            shutil.copyfile(path, target / path.name)
        except FileNotFoundError:
            continue
        count += 1
    return count


def replace_journals(backup: Path, target: Path) -> None:
    """Put the backup's journals in the place of those that are there. The caller holds the lock
    of the folder, which stays."""
    draft = target / ".restoring"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    for path in (backup / FOLDER).glob(f"*{SUFFIX}"):
        shutil.copyfile(path, draft / path.name)
    for path in target.glob(f"*{SUFFIX}"):
        path.unlink()
    for path in draft.iterdir():
        os.replace(path, target / path.name)
    draft.rmdir()
