"""The descriptor that is kept back."""

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine.log.spare import Spare


@contextmanager
def no_descriptors() -> Iterator[None]:
    """As many descriptors open as the process may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 256), hard))
    taken = []
    try:
        with pytest.raises(OSError, match="Too many open files"):
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        yield
    finally:
        for fd in taken:
            os.close(fd)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_it_works(tmp_path: Path) -> None:
    spare = Spare()
    path = str(tmp_path / "file")
    for _ in range(3):
        with no_descriptors(), spare.opened(path, os.O_RDWR | os.O_CREAT) as fd:
            os.write(fd, b"x")
    assert Path(path).read_bytes() == b"x"
    spare.close()


def test_it_is_kept_through_errors(tmp_path: Path) -> None:
    spare = Spare()
    with no_descriptors():
        for _ in range(3):
            with (
                pytest.raises(FileNotFoundError),
                spare.opened(str(tmp_path / "none"), os.O_RDONLY),
            ):
                pass
        with spare.opened(os.devnull, os.O_RDONLY):
            pass
        with pytest.raises(OSError) as caught:
            os.open(os.devnull, os.O_RDONLY)
    assert caught.value.errno == errno.EMFILE
    spare.close()
