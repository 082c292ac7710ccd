"""Management commands, called from tests."""

import io
import json

from django.core.management import call_command


def run(*arguments: str) -> str:
    """What a command prints."""
    output = io.StringIO()
    call_command(*arguments, stdout=output)
    return output.getvalue()


def result(*arguments: str) -> dict[str, str]:
    """The one JSON object that a command prints."""
    return json.loads(run(*arguments, "--json"))
