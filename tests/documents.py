"""Reads the documents: their sections, tables and code."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Code:
    """A fenced block: its language, its text, and where it stands (`README.md:40`)."""

    language: str
    text: str
    place: str


def read(name: str) -> str:
    """The text of a document."""
    return (ROOT / name).read_text()


def section(name: str, title: str) -> str:
    """What stands below a heading, up to the next one of its level or above."""
    found = re.search(rf"^(#+) {re.escape(title)}$", read(name), re.MULTILINE)
    assert found, f"{name} has no section “{title}”"
    rest = found.string[found.end() :]
    return re.split(rf"^#{{1,{len(found[1])}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def rows(text: str) -> list[list[str]]:
    """The cells of every table row, without headers."""
    tables = re.findall(r"^\|[-|]+\|\n((?:\|.*\|\n)+)", text, re.MULTILINE)
    lines = [line for table in tables for line in table.splitlines()]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def names(cell: str) -> list[str]:
    """The names in backticks of a cell; an optional one keeps its `?`."""
    return re.findall(r"`([\w?]+)`", cell)


def code(name: str, *languages: str) -> Iterator[Code]:
    """The fenced blocks of a document in these languages."""
    text = read(name)
    for block in FENCE.finditer(text):
        if block[1] in languages:
            yield Code(block[1], block[2], f"{name}:{text.count(chr(10), 0, block.start()) + 1}")
