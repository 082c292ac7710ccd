"""`clawsite.logs`: what is logged stays on its line, whoever wrote it."""

import errno
import json
import logging
import sys

import pytest

from clawsite.logs import FULL_DISK_SECONDS, FullDisk, JsonFormatter, LineFormatter

FORGED = "x\r\n2026-01-01 ERROR root: forged\x1b[2J\x00\x7f\x85\u2028\u202e\u2066"


def record(error: BaseException | None = None) -> logging.LogRecord:
    line = logging.LogRecord("a", logging.INFO, "f.py", 1, "path %s", (FORGED,), None)
    if error is not None:
        try:
            raise error
        except BaseException:  # noqa: BLE001 - any is logged
            line.exc_info = sys.exc_info()
    return line


@pytest.mark.parametrize("formatter", [LineFormatter(), JsonFormatter()])
def test_control_characters_are_escaped(formatter: logging.Formatter) -> None:
    line = formatter.format(record())
    assert line.isprintable()
    assert "forged\\x1b[2J" in line or json.loads(line)["message"] == f"path {FORGED}"


@pytest.mark.parametrize("formatter", [LineFormatter(), JsonFormatter()])
def test_a_traceback_begins_no_line_of_the_log(formatter: logging.Formatter) -> None:
    first, *others = formatter.format(record(ValueError(FORGED))).split("\n")
    assert first.isprintable()
    assert all(line.isprintable() and line.startswith("  ") for line in others)


def test_a_full_disk_is_said_once_a_minute() -> None:
    filter_ = FullDisk()
    full = OSError(errno.ENOSPC, "No space left on device")
    wrapped = RuntimeError("not stored")
    wrapped.__cause__ = full
    told = [filter_.filter(record(error)) for error in (full, wrapped, full)]
    assert told == [True, False, False]
    assert filter_.filter(record(OSError(errno.EIO, "broken")))
    assert filter_.filter(record())

    later = record(full)
    later.created += FULL_DISK_SECONDS
    assert filter_.filter(later)
