"""The forms of log lines: JSON for machines, plain for a person at a terminal.

No line holds what people say, a key or a query string: callers log ids and codes only."""

import errno
import json
import logging
import re
import time
from typing import Any

from core.tracing import traced

CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""Characters that would end a line or control a terminal, and the marks that turn text around."""

FULL = (errno.ENOSPC, errno.EDQUOT)
FULL_DISK_SECONDS = 60.0


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, the fields of a request's line, the ids
    of the request or run, and the traceback of an exception."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": f"{self.formatTime(record, '%Y-%m-%dT%H:%M:%S')}.{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
            **traced(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line).replace("\x7f", "\\u007f")

    converter = staticmethod(time.gmtime)


class StrangersMistakes(logging.Filter):
    """Makes one warning without a traceback of each error that a stranger can cause at will, such
    as a Host header that is not ours: Django logs these as errors."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("django.security."):
            record.levelno, record.levelname = logging.WARNING, "WARNING"
            record.exc_info = record.exc_text = None
        return True


class FullDisk(logging.Filter):
    """A full disk is said once a minute, not for each thing that could not be written."""

    _said: float | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.exc_info or not _is_full_disk(record.exc_info[1]):
            return True
        if self._said is not None and record.created - self._said < FULL_DISK_SECONDS:
            return False
        self._said = record.created
        return True


def _is_full_disk(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, OSError) and error.errno in FULL:
            return True
        error = error.__cause__ or error.__context__
    return False


def escape(text: str) -> str:
    """The text on one line, with control characters written as `\\x1b`."""
    return CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


class LineFormatter(logging.Formatter):
    """A line for people, with the same ids at its end. A logged text cannot begin a line of its
    own: those of a traceback are indented."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        ids = " ".join(f"{name}={value}" for name, value in traced().items())
        return escape(f"{super().formatMessage(record)} {ids}".rstrip())

    def formatException(self, ei: Any) -> str:
        lines = super().formatException(ei).splitlines()
        return "\n".join(f"  {escape(line)}" for line in lines)


def logging_of(level: str, form: str) -> dict[str, Any]:
    """Django's setting `LOGGING`: lines of this level and above, each as `json` or `line`, to
    stderr."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {"()": "clawsite.logs.JsonFormatter"},
            "line": {"()": "clawsite.logs.LineFormatter"},
        },
        "filters": {
            "strangers": {"()": "clawsite.logs.StrangersMistakes"},
            "full_disk": {"()": "clawsite.logs.FullDisk"},
        },
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": form,
                "filters": ["strangers", "full_disk"],
            }
        },
        "root": {"handlers": ["stderr"], "level": level},
        # Access lines would hold query strings, and those may hold tickets. Of a WebSocket, uvicorn
        # says them to its error log, and at DEBUG every frame and header with its key.
        "loggers": {
            "uvicorn.access": {"level": "WARNING"},
            "uvicorn.error": {"level": "WARNING"},
            "django.channels.server": {"level": "WARNING"},
            "procrastinate": {"level": "WARNING"},  # several lines for every job
            # Of Anthropic's SDK: a line for every call, and what people say at DEBUG.
            **{name: {"level": "WARNING"} for name in ("anthropic", "httpx2", "httpcore2")},
            # Of MCP's SDK: what a server gets wrong, with the traceback and what it has said.
            **{name: {"level": "CRITICAL"} for name in ("mcp", "client")},
        },
    }
