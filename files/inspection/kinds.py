"""The kinds of files that a message may have, told by their first bytes, never by their names."""

import io
import re

from files.inspection.images import read_image
from files.inspection.result import Inspected, Refused

IMAGES = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
}
HEIC = re.compile(rb"....ftyp(heic|heix|hevc|heif|mif1|msf1|avif|avis)", re.DOTALL)
SVG = re.compile(r"\s*(<\?xml|<!--|<!doctype svg|<svg)", re.IGNORECASE)
MAX_PAGES = 100
"""The pages of one PDF that models take."""
TOKENS_OF_PAGE = 2000
"""Models read a page of a PDF as its text and as an image."""
MAX_CHARACTERS = 400_000
CONTROLS = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def inspect(content: bytes) -> Inspected:
    """The file as it is kept. Raises `Refused`."""
    if not content:
        raise Refused("The file is empty.")
    kind = next((kind for magic, kind in IMAGES.items() if content.startswith(magic)), None)
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        kind = "WEBP"
    if kind is not None:
        return read_image(content, kind)
    if HEIC.match(content):
        raise Refused("HEIC and AVIF images cannot be read: save it as JPEG or PNG.")
    if content.startswith(b"%PDF-"):
        return _pdf(content)
    return _text(content)


def _pdf(content: bytes) -> Inspected:
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise Refused("The PDF is protected by a password.")
        pages = len(reader.pages)
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Refused("The PDF is damaged.") from None
    if not 0 < pages <= MAX_PAGES:
        raise Refused(f"A PDF has at least 1 page and at most {MAX_PAGES}.")
    return Inspected("application/pdf", content, pages * TOKENS_OF_PAGE)


def _text(content: bytes) -> Inspected:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if CONTROLS.search(text):
        raise Refused("This kind of file is not taken: send PNG, JPEG, GIF, WebP, PDF or text.")
    if SVG.match(text) and "<svg" in text.lower():
        raise Refused("SVG images are not taken: save it as PNG.")
    if len(text) > MAX_CHARACTERS:
        raise Refused(f"A text has at most {MAX_CHARACTERS} characters.")
    return Inspected("text/plain", text.encode(), len(text) // 4 + 1)
