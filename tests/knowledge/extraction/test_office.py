"""`knowledge.extraction.office`."""

import pytest

from knowledge.extraction.block import NotReadable
from knowledge.extraction.office import read_docx, read_pdf
from tests.knowledge.extraction import files


def test_it_works():
    assert [(block.page, block.text) for block in read_pdf(files.pdf("One", "", "Three"))] == [
        (1, "One"),
        (3, "Three"),
    ]


def test_a_docx_has_headings_and_tables():
    assert [(block.level, block.text) for block in read_docx(files.docx())] == [
        (1, "Refunds"),
        (0, "They take five days."),
        (0, "Tea | 3"),
    ]


def test_values_of_a_table_stay_in_their_columns():
    texts = [block.text for block in read_docx(files.tables())]
    assert texts == ["Tea |  | 3", "Rice | 3 | 3", "All | Sum | 9"]


@pytest.mark.parametrize(
    ("read", "content", "why"),
    [
        (read_pdf, b"%PDF-1.7 nothing", "damaged"),
        (read_pdf, files.protected(), "password"),
        (read_docx, b"PK\x03\x04 nothing", "damaged"),
    ],
)
def test_b4_a_hostile_or_broken_file_is_refused(read, content, why):
    with pytest.raises(NotReadable, match=why):
        read(content)


def test_b4_a_zip_bomb_is_refused():
    with pytest.raises(NotReadable, match="too large"):
        read_docx(files.zip_bomb())
