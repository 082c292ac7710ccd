"""Plain text, Markdown and CSV."""

import csv
import re
from collections.abc import Iterator
from itertools import islice

from knowledge.extraction.block import Block

PARAGRAPHS = re.compile(r"\n\s*\n")
HEADING = re.compile(r"(#{1,6})[ \t]+(.+?)[ \t]*#*\s*")
FENCE = re.compile(r"[ ]{0,3}(```|~~~)")
MAX_ROWS = 100_000
"""Of a table."""
csv.field_size_limit(1024 * 1024)

BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


def decoded(content: bytes, declared: str = "") -> str:
    """The text of bytes: as their byte order mark says, as was declared, as UTF-8, else as Windows
    1252, which takes any byte."""
    marked = next((name for mark, name in BYTE_ORDER_MARKS if content.startswith(mark)), "")
    for encoding in (marked, declared, "utf-8"):
        try:
            if encoding:
                return content.decode(encoding)
        except (LookupError, UnicodeError):
            continue
    return content.decode("cp1252", "replace")


def read_text(content: bytes) -> list[Block]:
    """Plain text: its paragraphs."""
    return [Block(part) for part in _paragraphs(decoded(content))]


def read_markdown(content: bytes) -> list[Block]:
    """Markdown (ATX headings, paragraphs and fenced code, https://spec.commonmark.org/0.31.2/)."""
    return list(_markdown(decoded(content)))


def read_csv(content: bytes) -> list[Block]:
    """Comma, semicolon or tab separated values: a line for each row that repeats the names of the
    columns, so that a passage says what its values mean."""
    lines = decoded(content).splitlines()
    first = lines[0] if lines else ""
    delimiter = max(",;\t", key=first.count)
    rows = csv.reader(lines, delimiter=delimiter)
    names = next(rows, [])
    return [Block(_row(names, row)) for row in islice(rows, MAX_ROWS) if any(row)]


def _markdown(text: str) -> Iterator[Block]:
    lines: list[str] = []
    fenced = False
    for line in [*text.splitlines(), ""]:
        if FENCE.match(line):
            fenced = not fenced
        heading = None if fenced else HEADING.fullmatch(line)
        if lines and (heading or (not line.strip() and not fenced)):
            yield Block("\n".join(lines))
            lines = []
        if heading:
            yield Block(heading[2], len(heading[1]))
        elif line.strip():
            lines.append(line)
    if lines:
        yield Block("\n".join(lines))


def _paragraphs(text: str) -> Iterator[str]:
    for part in PARAGRAPHS.split(text.replace("\r\n", "\n").replace("\r", "\n")):
        if part.strip():
            yield part.strip()


def _row(names: list[str], row: list[str]) -> str:
    named = zip([*names, *[""] * len(row)], row, strict=False)
    return "; ".join(
        f"{name.strip()}: {value.strip()}" if name.strip() else value.strip()
        for name, value in named
        if value.strip()
    )
