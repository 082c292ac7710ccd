"""One backup: a dated folder that holds all it lists in `manifest.json`, or does not exist."""

import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from clawsite.backup import BackupError

MANIFEST = "manifest.json"
FORMAT = 1
MAX_MANIFEST_BYTES = 256 * 1024 * 1024  # a million journals


@contextmanager
def new_backup(below: Path) -> Iterator[Path]:
    """An empty folder to fill. Left in order, it gets its name and its files are on the disk; after
    an exception nothing of it is left."""
    below.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=below))
    try:
        yield draft
        for path in [*draft.rglob("*"), draft]:
            _flush(path)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def name_it(draft: Path) -> Path:
    """Give a finished backup its name, the time in UTC; returns where it is now."""
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H%M%SZ")
    for number in range(1, 1000):
        place = draft.with_name(stamp if number == 1 else f"{stamp}-{number}")
        try:
            draft.rename(place)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
        else:
            _flush(place.parent)
            return place
    raise BackupError(f"There are too many backups of {stamp}.")


def write_manifest(folder: Path, **about: Any) -> dict[str, Any]:
    """List every file with its size and SHA-256, and what else is said of the backup."""
    files = {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": _digest(path)}
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    manifest = {"format": FORMAT, "createdAt": datetime.now(UTC).isoformat(timespec="seconds")}
    manifest |= about | {"files": files}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1))
    return manifest


def find(folder: Path) -> Path:
    """The backup that this is, or the newest one in it. Raises `BackupError`."""
    if (folder / MANIFEST).is_file():
        return folder
    if not folder.is_dir():
        raise BackupError(f"There is no folder {folder}.")
    found = [path.parent for path in folder.glob(f"[0-9]*/{MANIFEST}")]
    if not found:
        raise BackupError(f"There is no backup in {folder}: none of its folders has a {MANIFEST}.")
    return max(found, key=lambda path: (path.name[:18], len(path.name), path.name))


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a backup, once every file that it lists is found to be as it was.

    Raises `BackupError`."""
    path = folder / MANIFEST
    try:
        if path.stat().st_size > MAX_MANIFEST_BYTES:
            raise BackupError(f"{path} is too large.")
        manifest = json.loads(path.read_text())
        known = manifest["format"] == FORMAT
        files = [
            (_inside(folder, name), file["sha256"]) for name, file in manifest["files"].items()
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BackupError(f"{path} cannot be read.") from None
    if not known:
        raise BackupError(f"{path} is of another version of Clawsite.")
    for file, digest in files:
        if not file.is_file():
            raise BackupError(f"The backup is damaged: {file} is missing.")
        if _digest(file) != digest:
            raise BackupError(f"The backup is damaged: {file} is not what was written.")
    return dict(manifest)


def _inside(folder: Path, name: str) -> Path:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(name)
    return folder / path


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(path: Path) -> None:
    """On the disk, also after a loss of power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
