"""The differences between two versions, line by line, for people."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any

from wire.objects.versions import Change

MAX_LINES = 2_000
"""Of two texts together: the comparison takes time with the square of it. Longer ones are shown
whole."""
CONTEXT = 2
GAP = "gap"
KINDS = {"-": "old", "+": "new", " ": "same", "@": GAP}


@dataclass(frozen=True)
class Line:
    """A line that is `old`, `new` or the `same`; a `gap` stands for lines that are left out."""

    kind: str
    text: str = ""


@dataclass(frozen=True)
class Difference:
    """A field that differs, by its name for people, and its lines."""

    label: str
    lines: list[Line]


def differences(changes: Iterable[Change]) -> list[Difference]:
    """The same changes for people."""
    return [
        Difference(_label(change.field), lines(_text(change.before), _text(change.after)))
        for change in changes
    ]


def lines(before: str, after: str) -> list[Line]:
    """The lines that differ, with some around them."""
    old, new = before.splitlines(), after.splitlines()
    if len(old) + len(new) > MAX_LINES:
        return [*(Line("old", text) for text in old), *(Line("new", text) for text in new)]
    # The first two lines are names of files.
    found = list(unified_diff(old, new, n=CONTEXT, lineterm=""))[2:]
    shown = [Line(KINDS[line[0]], "" if line[0] == "@" else line[1:]) for line in found]
    return shown[1:] if not _begins_later(found) else shown


def _begins_later(found: list[str]) -> bool:
    """Whether lines before the first hunk are left out: its header names their number."""
    return bool(found) and not re.match(r"@@ -[01](,|\s)", found[0])


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, indent=2, ensure_ascii=False)


def _label(field: str) -> str:
    words = re.sub(r"(?=[A-Z])", " ", field).lower()
    return words[0].upper() + words[1:]
