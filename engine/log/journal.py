"""One run's file: a line per event, written with `os.write` before anyone sees the event.

Line n is the event with seq n. There is no fsync: what is written survives a killed process, not a
power cut. Memory holds only a sparse index, so that any position is one `pread` away.
"""

import errno
import os
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import msgspec

from engine.events import LAST, type_of
from engine.log.base import Damaged, StorageFailed, UnknownRun
from engine.log.local import BATCH
from engine.log.spare import FULL, OWNER_ONLY, Spare

STEP = 16 * 1024  # bytes of file per entry of the index (16 bytes)
WRITING = os.O_RDWR | os.O_APPEND


class Head(msgspec.Struct):
    """The fields that every line must have; decoding them checks the JSON of the whole line."""

    type: str
    seq: int


_head = msgspec.json.Decoder(Head)


class Journal:
    """The file of one run. `size` is the length of its good part, `lines` the events in it."""

    __slots__ = ("_fd", "_next_mark", "_offsets", "_path", "_seqs", "_spare", "lines", "size")

    def __init__(self, path: str, spare: Spare) -> None:
        self._path, self._spare = path, spare
        self._fd = -1  # held while the run is being written, if descriptors allow
        self.lines = self.size = self._next_mark = 0
        self._seqs = array("Q")  # the index: event _seqs[i] starts at byte _offsets[i]
        self._offsets = array("Q")

    def load(self) -> str:
        """Index the file up to the first line that is torn or damaged (`open` will cut there).

        Returns the type of the last good event, or "". Raises `FileNotFoundError`, and
        `Damaged` if the damage is not at the end: to cut there would take back `done`."""
        last = rest = b""
        with self._spare.opened(self._path, os.O_RDONLY) as fd:
            while chunk := os.pread(fd, max(STEP, len(rest)), self.size + len(rest)):
                whole, newline, rest = (rest + chunk).rpartition(b"\n")
                if not newline:
                    continue
                lines = whole.split(b"\n")
                good = _good(lines, self.lines + 1)
                if good:
                    last = lines[good - 1]
                    self._mark()
                    self.lines += good
                    self.size += sum(map(len, lines[:good])) + good
                if good < len(lines):
                    break
            ended = type_of(last) if last else ""
            if ended != LAST and _ends_with_done(fd):
                raise Damaged("the journal is damaged")
        return ended

    def open(self) -> None:
        """Make ready for `append`: create the file, cut what lies behind its good part.

        Raises `StorageFailed`."""
        try:
            if self._fd < 0:
                self._fd = _hold(self._path)
            with self._descriptor(WRITING | os.O_CREAT) as fd:
                if os.fstat(fd).st_size > self.size:
                    os.ftruncate(fd, self.size)
        except OSError as error:
            self.close()
            raise StorageFailed(f"cannot open the journal: {error.strerror}") from error

    def append(self, lines: list[bytes]) -> None:
        """Write `lines`; after an error the file ends where it did. Raises `StorageFailed`."""
        data = b"\n".join(lines) + b"\n"
        try:
            written = os.write(self._fd, data) if self._fd >= 0 else self._write_once(data)
            if written != len(data):  # a disk that is nearly full takes a part
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            with suppress(OSError), self._descriptor() as fd:  # if this fails too, `open` cuts
                os.ftruncate(fd, self.size)
            self.close()
            raise StorageFailed(f"cannot write the journal: {error.strerror}") from error
        if self.size >= self._next_mark:
            self._mark()
        self.size += written
        self.lines += len(lines)

    def read(self, after: int) -> list[bytes]:
        """About one batch of the lines after `after`, at least one (`after` < `lines`).

        Raises `UnknownRun` if the file is gone, `StorageFailed` if it cannot be read."""
        first = bisect_right(self._seqs, after + 1) - 1
        start, end = self._offsets[first], self._end_of_batch(first)
        try:
            with self._descriptor(os.O_RDONLY) as fd:
                chunk = os.pread(fd, end - start, start)
        except FileNotFoundError as error:
            raise UnknownRun(self._path) from error
        except OSError as error:
            raise StorageFailed(f"cannot read the journal: {error.strerror}") from error
        if len(chunk) != end - start:
            raise Damaged("the journal is shorter than what was written")
        lines = chunk.split(b"\n")
        return lines[after + 1 - self._seqs[first] : -1]

    def close(self) -> None:
        """Let go of the descriptor; `read` opens the file when it needs it."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _end_of_batch(self, first: int) -> int:
        """The mark at which a read from mark `first` stops: the last one within a batch, or the
        next."""
        limit = self._offsets[first] + BATCH
        stop = max(bisect_right(self._offsets, limit) - 1, first + 1)
        return self._offsets[stop] if limit < self.size and stop < len(self._offsets) else self.size

    def _mark(self) -> None:
        self._seqs.append(self.lines + 1)
        self._offsets.append(self.size)
        self._next_mark = self.size + STEP

    def _write_once(self, data: bytes) -> int:
        with self._descriptor() as fd:
            return os.write(fd, data)

    @contextmanager
    def _descriptor(self, flags: int = WRITING) -> Iterator[int]:
        """The descriptor that is held, or one for the length of the block."""
        if self._fd >= 0:
            yield self._fd
        else:
            with self._spare.opened(self._path, flags) as fd:
                yield fd


def is_finished(path: str) -> bool:
    """Whether the file certainly ends with `done` (False: load it to know)."""
    fd = os.open(path, os.O_RDONLY)
    try:
        return _ends_with_done(fd)
    finally:
        os.close(fd)


def _ends_with_done(fd: int) -> bool:
    end = os.pread(fd, 4096, max(0, os.fstat(fd).st_size - 4096))  # `done` is far shorter
    start = end.rfind(b"\n", 0, -1)
    return end.endswith(b"}\n") and start >= 0 and end.startswith(b'{"type":"done"', start + 1)


def _hold(path: str) -> int:
    try:
        return os.open(path, WRITING | os.O_CREAT, OWNER_ONLY)
    except OSError as error:
        if error.errno not in FULL:
            raise
        return -1


def _good(lines: list[bytes], seq: int) -> int:
    """The number of `lines` that are right, if the first should be event `seq`.

    A right last line is enough: its seq is the count of the lines."""
    if _is_event(lines[-1], seq + len(lines) - 1):
        return len(lines)
    return next(n for n, line in enumerate(lines) if not _is_event(line, seq + n))


def _is_event(line: bytes, seq: int) -> bool:
    try:
        return _head.decode(line).seq == seq
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
