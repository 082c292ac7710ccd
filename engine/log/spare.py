"""Opening files when the process has no descriptor left (sockets may take them all)."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

FULL = (errno.EMFILE, errno.ENFILE)
OWNER_ONLY = 0o600


class Spare:
    """A descriptor kept back, so that files open even when the process has no other left."""

    def __init__(self) -> None:
        self._fd = -1
        self._keep()

    @contextmanager
    def opened(self, path: str, flags: int) -> Iterator[int]:
        """`path`, open for the length of the block, at worst in place of the spare descriptor."""
        try:
            fd = os.open(path, flags, OWNER_ONLY)
        except OSError as error:
            if error.errno not in FULL:
                raise
            fd = self._instead(path, flags)
        try:
            yield fd
        finally:
            os.close(fd)
            self._keep()

    def _instead(self, path: str, flags: int) -> int:
        self.close()
        try:
            return os.open(path, flags, OWNER_ONLY)
        except OSError:
            self._keep()
            raise

    def close(self) -> None:
        """Give the descriptor back."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _keep(self) -> None:
        if self._fd >= 0:
            return
        try:
            self._fd = os.open(os.devnull, os.O_RDONLY)
        except OSError as error:
            if error.errno not in FULL:
                raise  # else another thread was quicker: the next block tries again
