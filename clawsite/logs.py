"""How log lines look: JSON for machines, plain for a person at a terminal.

No line holds what people say, a key or a query string: callers log ids and codes only."""

import json
import logging
import time

from accounts.tracing import traced


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, the ids of the request or run, and the
    traceback of an exception."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": f"{self.formatTime(record, '%Y-%m-%dT%H:%M:%S')}.{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **traced(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)

    converter = time.gmtime


class LineFormatter(logging.Formatter):
    """A line for people, with the same ids at its end."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        ids = " ".join(f"{name}={value}" for name, value in traced().items())
        return f"{super().formatMessage(record)} {ids}".rstrip()
