"""The blocks of a document, in order: every extractor makes them."""

from dataclasses import dataclass


class NotReadable(Exception):
    """A file whose text cannot be extracted; the message is for its uploader."""


@dataclass(frozen=True)
class Block:
    """A heading (`level` 1 to 6), or a paragraph, list item or row of a table (0)."""

    text: str
    level: int = 0
    page: int | None = None
