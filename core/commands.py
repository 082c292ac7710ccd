"""Options and errors that all management commands share."""

import json
import re
from abc import ABC, abstractmethod
from argparse import ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from engine.errors import ClawError

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True)
class Result:
    """The outcome of a command: `data` for programs, `text` for people."""

    data: dict[str, Any]
    text: str


class ResultCommand(BaseCommand, ABC):
    """A command with one result, which `--json` prints as one JSON object."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Every such command has --json."""
        parser.add_argument(
            "--json", action="store_true", dest="as_json", help="print one JSON object"
        )

    def handle(self, *args: Any, as_json: bool, **options: Any) -> None:
        """Carry the command out and print its result."""
        with readable_errors():
            result = self.result(**options)
        self.stdout.write(json.dumps(result.data) if as_json else result.text)

    @abstractmethod
    def result(self, *_: Any, **options: Any) -> Result:
        """Do the work. A ClawError or ValidationError is what the user did wrong."""


def duration(text: str) -> timedelta:
    """The type of an argument such as `30d`."""
    match = re.fullmatch(r"([1-9]\d{0,4})([smhdw])", text)
    if match is None:
        raise ArgumentTypeError(f"“{text}” is no duration such as 12h, 30d or 4w")
    return timedelta(**{UNITS[match[2]]: int(match[1])})


@contextmanager
def readable_errors() -> Iterator[None]:
    """Turns a user's mistake into one line on stderr and exit code 1."""
    try:
        yield
    except ClawError as error:
        raise CommandError(error.message) from error
    except ValidationError as error:
        fields = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
        lines = [
            f"{field}: {message}" if field.strip("_") not in ("", "all") else message
            for field, messages in fields.items()
            for message in messages
        ]
        raise CommandError("\n".join(lines)) from error
