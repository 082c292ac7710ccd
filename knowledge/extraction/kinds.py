"""The kinds of files that a document may be."""

import re

ENDINGS = {
    "txt": "text",
    "text": "text",
    "log": "text",
    "md": "markdown",
    "markdown": "markdown",
    "htm": "html",
    "html": "html",
    "xhtml": "html",
    "csv": "csv",
    "tsv": "csv",
    "pdf": "pdf",
    "docx": "docx",
}
MEDIA_TYPES = {
    "text/plain": "text",
    "text/markdown": "markdown",
    "text/html": "html",
    "application/xhtml+xml": "html",
    "text/csv": "csv",
    "text/tab-separated-values": "csv",
    "application/pdf": "pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
}
MAGIC = {"pdf": b"%PDF-", "docx": b"PK\x03\x04"}


def kind_of(name: str, media_type: str, content: bytes) -> str | None:
    """The kind of a file: by its beginning, then by the ending of its name, then by the media type
    that it came with. None for anything else: also for a file whose beginning contradicts its
    name."""
    ending = re.sub(r"[?#].*", "", name).rpartition(".")[2].lower()
    kind = ENDINGS.get(ending) or MEDIA_TYPES.get(media_type.partition(";")[0].strip().lower())
    begins = next((kind for kind, magic in MAGIC.items() if content[:1024].startswith(magic)), None)
    if begins == "docx" and kind != "docx":  # any other archive begins like that
        return None
    if begins is None and kind in MAGIC:
        return None
    return begins or kind
