"""A place without a C compiler."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

import pytest

from bench.__main__ import NEEDED


@contextmanager
def hidden_compiler() -> Iterator[None]:
    """In here $PATH is a folder with what the benchmark needs, and nothing else."""
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        for found in filter(None, map(which, NEEDED)):
            (Path(folder) / Path(found).name).symlink_to(found)
        patch.setenv("PATH", folder)
        yield
