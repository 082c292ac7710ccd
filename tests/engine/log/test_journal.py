"""One run's file: what it holds is right, whatever happened to the end of it."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine.log.base import StorageFailed, UnknownRun
from engine.log.journal import Journal, is_finished
from engine.log.spare import Spare
from tests.engine.log.contract import DONE, SIZES, STAMP, token
from tests.engine.log.test_spare import no_descriptors

LINES = [STAMP.seal(token(n, SIZES[n % len(SIZES)]), n + 1) for n in range(200)]


@pytest.fixture
def spare() -> Iterator[Spare]:
    spare = Spare()
    yield spare
    spare.close()


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "run_1.jsonl")


@contextmanager
def disk_full_at(size: int) -> Iterator[None]:
    """No file may grow beyond `size` (the kernel takes what fits, then refuses)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def written(path: str, spare: Spare, lines: list[bytes]) -> Journal:
    journal = Journal(path, spare)
    journal.open()
    for line in lines:
        journal.append([line])
    return journal


def loaded(path: str, spare: Spare) -> Journal:
    journal = Journal(path, spare)
    journal.load()
    return journal


def all_of(journal: Journal) -> list[bytes]:
    lines: list[bytes] = []
    while len(lines) < journal.lines:
        lines += journal.read(len(lines))
    return lines


def test_it_works(path: str, spare: Spare) -> None:
    journal = written(path, spare, LINES)
    assert Path(path).read_bytes() == b"".join(line + b"\n" for line in LINES)
    assert all_of(journal) == LINES
    journal.close()
    assert all_of(loaded(path, spare)) == LINES


def test_every_position_is_one_read_away(path: str, spare: Spare) -> None:
    writing = written(path, spare, LINES)
    writing.close()
    for journal in (writing, loaded(path, spare)):
        for after in range(len(LINES)):
            lines = journal.read(after)
            assert lines == LINES[after : after + len(lines)]
            assert lines


def test_only_the_owner_may_read_the_file(path: str, spare: Spare) -> None:
    written(path, spare, LINES[:1]).close()
    assert os.stat(path).st_mode & 0o777 == 0o600


@pytest.mark.parametrize("keep", [0, 1, 3, 120])
@pytest.mark.parametrize(
    "end",
    [
        b'{"type":"token","con',
        STAMP.seal(token(0), 99_999),
        STAMP.seal(token(0), 99_999) + b"\n",
        b"\n",
        b"\0" * 5000,
        b"\xff\xfe\n\xff\n",
        b'{"type":"token"}\nnot json\n',
        b'{"type":"done","seq":1',
        b"[1]\n" * 100_000,
    ],
)
def test_a_torn_or_foreign_end_is_cut(path: str, spare: Spare, keep: int, end: bytes) -> None:
    good = b"".join(line + b"\n" for line in LINES[:keep])
    Path(path).write_bytes(good + end)
    journal = loaded(path, spare)
    assert journal.lines == keep
    assert all_of(journal) == LINES[:keep]
    assert Path(path).read_bytes() == good + end  # only a writer may touch it
    journal.open()
    assert Path(path).read_bytes() == good
    journal.append([LINES[keep]])
    assert all_of(loaded(path, spare)) == LINES[: keep + 1]
    journal.close()


def test_every_cut_of_the_last_line_is_cut_back(path: str, spare: Spare) -> None:
    whole = LINES[0] + b"\n" + LINES[1] + b"\n"
    for length in range(len(LINES[0]) + 1, len(whole)):
        Path(path).write_bytes(whole[:length])
        assert loaded(path, spare).lines == 1


def test_a_line_far_beyond_a_batch_is_read_whole(path: str, spare: Spare) -> None:
    lines = [STAMP.seal(token(n, 3_000_000 if n == 1 else 1), n + 1) for n in range(3)]
    written(path, spare, lines).close()
    assert all_of(loaded(path, spare)) == lines


def test_load_tells_the_last_type(path: str, spare: Spare) -> None:
    written(path, spare, LINES[:2]).close()
    assert Journal(path, spare).load() == "token"
    Path(path).write_bytes(b"")
    assert Journal(path, spare).load() == ""


def test_a_missing_file_is_told(path: str, spare: Spare) -> None:
    with pytest.raises(FileNotFoundError):
        Journal(path, spare).load()


def test_a_file_that_went_away_is_an_unknown_run(path: str, spare: Spare) -> None:
    journal = written(path, spare, LINES[:2])
    journal.close()
    os.unlink(path)
    with pytest.raises(UnknownRun):
        journal.read(0)


def test_p3_a_file_cut_from_outside_is_not_a_silent_gap(path: str, spare: Spare) -> None:
    journal = written(path, spare, LINES[:20])
    os.truncate(path, 100)
    with pytest.raises(StorageFailed):
        journal.read(0)
    journal.close()


def test_a_short_write_is_rolled_back(path: str, spare: Spare) -> None:
    journal = written(path, spare, LINES[:4])
    good = Path(path).read_bytes()
    with disk_full_at(len(good) + 10), pytest.raises(StorageFailed):
        journal.append([LINES[4]])
    assert Path(path).read_bytes() == good
    with disk_full_at(len(good)), pytest.raises(StorageFailed):
        journal.append([LINES[4]])
    assert all_of(journal) == LINES[:4]
    journal.open()
    journal.append([LINES[4]])
    assert all_of(loaded(path, spare)) == LINES[:5]
    journal.close()


def test_a_device_without_space_is_a_storage_failure(path: str, spare: Spare) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")
    os.symlink("/dev/full", path)
    journal = Journal(path, spare)
    journal.open()
    with pytest.raises(StorageFailed, match="No space left"):
        journal.append([LINES[0]])


def test_a_directory_that_cannot_be_written_is_a_storage_failure(
    tmp_path: Path, spare: Spare
) -> None:
    with pytest.raises(StorageFailed):
        Journal(str(tmp_path / "none" / "run_1.jsonl"), spare).open()


def test_without_descriptors_it_writes_and_reads_all_the_same(path: str, spare: Spare) -> None:
    journal = Journal(path, spare)
    with no_descriptors():
        journal.open()
        for line in LINES:
            journal.append([line])
        assert all_of(journal) == LINES
        assert all_of(loaded(path, spare)) == LINES
    journal.close()


def test_a_file_is_finished_when_its_last_line_is_done(path: str, spare: Spare) -> None:
    done = STAMP.seal(DONE, 2) + b"\n"
    for content, finished in (
        (b"", False),
        (LINES[0] + b"\n", False),
        (LINES[0] + b"\n" + done, True),
        (LINES[7] * 10 + b"\n" + done, True),
        (LINES[0] + b"\n" + done[:-1], False),
        (done + LINES[0] + b"\n", False),
    ):
        Path(path).write_bytes(content)
        assert is_finished(path) is finished
