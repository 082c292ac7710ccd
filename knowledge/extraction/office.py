"""PDF, read by pypdf, and DOCX, read by python-docx."""

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from knowledge.extraction.block import Block, NotReadable

MAX_PAGES = 2000
MAX_UNPACKED = 100 * 1024 * 1024
"""Bytes of an archive when it is unpacked: a bomb of a few kilobytes says gigabytes here."""
MAX_MEMBERS = 5000
MAX_NESTED = 3
"""Tables within cells of tables."""
HEADING = re.compile(r"(?:heading|überschrift|título|titre) ?([1-6])", re.IGNORECASE)
PARAGRAPHS = re.compile(r"\n\s*\n")


def read_pdf(content: bytes) -> list[Block]:
    """The text of each page. Raises `NotReadable`; a scan has no text and gives no blocks."""
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise NotReadable("The PDF is protected by a password.")
        if len(reader.pages) > MAX_PAGES:
            raise NotReadable(f"The PDF has more than {MAX_PAGES} pages.")
        return [
            Block(part.strip(), page=number)
            for number, page in enumerate(reader.pages, 1)
            for part in PARAGRAPHS.split(page.extract_text())
            if part.strip()
        ]
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise NotReadable("The PDF is damaged.") from None


def read_docx(content: bytes) -> list[Block]:
    """Headings, paragraphs and the rows of tables. Raises `NotReadable`."""
    from docx import Document
    from docx.opc.exceptions import OpcError

    try:
        _check_archive(content)
        return list(_docx(Document(io.BytesIO(content))))
    except (OpcError, zipfile.BadZipFile, KeyError, ValueError, SyntaxError):  # lxml's is the last
        raise NotReadable("The DOCX file is damaged.") from None


def _check_archive(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
    if len(members) > MAX_MEMBERS or sum(one.file_size for one in members) > MAX_UNPACKED:
        raise NotReadable("The DOCX file is too large when it is unpacked.")


def _docx(document: "object") -> Iterator[Block]:
    from docx.table import Table

    for item in document.iter_inner_content():  # type: ignore[attr-defined]
        if isinstance(item, Table):
            yield from map(Block, _rows(item, 0))
        elif text := item.text.strip():
            style = HEADING.fullmatch((item.style.name if item.style else "") or "")
            yield Block(text, int(style[1]) if style else 0)


def _rows(table: Any, depth: int) -> Iterator[str]:
    """The rows of a table, each cell in its column; one that spans several columns counts once."""
    for row in table.rows:
        cells = {id(cell._tc): cell for cell in row.cells}.values()
        texts = [_text(cell, depth) for cell in cells]
        if any(texts):
            yield " | ".join(texts)


def _text(cell: Any, depth: int) -> str:
    """The text of a cell, with that of the tables in it."""
    inner = cell.tables if depth < MAX_NESTED else ()
    rows = [row for table in inner for row in _rows(table, depth + 1)]
    return " ".join(filter(None, [cell.text.strip(), *rows]))
