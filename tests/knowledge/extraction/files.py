"""Files as tests want them."""

import io
import zipfile

from docx import Document
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject


def pdf(*pages: str) -> bytes:
    """A PDF whose pages have these texts; a page without text is like a scan."""
    writer = PdfWriter()
    for text in pages:
        page = writer.add_blank_page(200, 200)
        font = DictionaryObject(
            {
                NameObject("/Type"): NameObject("/Font"),
                NameObject("/Subtype"): NameObject("/Type1"),
                NameObject("/BaseFont"): NameObject("/Helvetica"),
            }
        )
        fonts = DictionaryObject({NameObject("/F1"): writer._add_object(font)})
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
        stream = DecodedStreamObject()
        stream.set_data(f"BT /F1 12 Tf 10 100 Td ({text}) Tj ET".encode() if text else b"")
        page[NameObject("/Contents")] = writer._add_object(stream)
    return _written(writer)


def protected() -> bytes:
    """A PDF that opens with a password only."""
    writer = PdfWriter()
    writer.add_blank_page(10, 10)
    writer.encrypt("secret", algorithm="RC4-128")
    return _written(writer)


def docx() -> bytes:
    """A DOCX with headings, a paragraph and a table."""
    document = Document()
    document.add_heading("Refunds", 1)
    document.add_paragraph("They take five days.")
    table = document.add_table(1, 2)
    table.rows[0].cells[0].text, table.rows[0].cells[1].text = "Tea", "3"
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def tables() -> bytes:
    """A DOCX whose table has an empty cell, two of one value, a wide one, and a table in a cell."""
    document = Document()
    table = document.add_table(3, 3)
    for row, texts in zip(table.rows, (("Tea", "", "3"), ("Rice", "3", "3")), strict=False):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    last = table.rows[2].cells
    last[0].merge(last[1]).text = "All"
    inner = last[2].add_table(1, 2)
    inner.rows[0].cells[0].text, inner.rows[0].cells[1].text = "Sum", "9"
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def zip_bomb() -> bytes:
    """A DOCX of little more than 100 KiB that is 110 MiB when unpacked."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b" " * (110 * 1024 * 1024))
    return file.getvalue()


def _written(writer: PdfWriter) -> bytes:
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()
