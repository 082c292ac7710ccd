"""The files of messages, where they are in a folder of this machine."""

import os
import shutil
from pathlib import Path

from django.core.files.storage import FileSystemStorage, default_storage

FOLDER = "files"


def copy_files(backup: Path) -> int:
    """Copy every file into the backup; returns how many. One that is erased meanwhile is left
    out."""
    source, count = _place(), 0
    for path in sorted(source.rglob("*")) if source else ():
        target = backup / FOLDER / path.relative_to(source or path)
        if path.is_dir():
            continue
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            shutil.copyfile(path, target)
        except FileNotFoundError:
            continue
        count += 1
    return count


def replace_files(backup: Path) -> None:
    """Put the backup's files in the place of those that are there; none, if it has none."""
    target = _place()
    if target is None:
        return
    draft = target.with_name(f".restoring-{target.name}")
    shutil.rmtree(draft, ignore_errors=True)
    if (backup / FOLDER).is_dir():
        shutil.copytree(backup / FOLDER, draft)
    else:
        draft.mkdir(mode=0o700, parents=True)
    shutil.rmtree(target, ignore_errors=True)
    os.replace(draft, target)


def _place() -> Path | None:
    """The folder of the files; None where another storage keeps them."""
    # The storage stands behind a lazy object, which says that it is of the class of its content.
    if not isinstance(default_storage, FileSystemStorage):
        return None
    return Path(default_storage.location)
