"""`knowledge.extraction.kinds`."""

import pytest

from knowledge.extraction.kinds import kind_of


@pytest.mark.parametrize(
    ("name", "media_type", "content", "kind"),
    [
        ("a.md", "", b"# x", "markdown"),
        ("A.HTML", "", b"<p>", "html"),
        ("page", "text/html; charset=utf-8", b"<p>", "html"),
        ("a.txt", "", b"%PDF-1.7", "pdf"),
        ("a.docx", "", b"PK\x03\x04", "docx"),
        ("a.zip", "application/zip", b"PK\x03\x04", None),
        ("a.pdf", "application/pdf", b"text", None),
        ("a.exe", "", b"MZ", None),
        ("", "", b"", None),
    ],
)
def test_it_works(name, media_type, content, kind):
    assert kind_of(name, media_type, content) == kind
