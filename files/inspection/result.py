"""The answer of the child process about a file."""

import msgspec


class Inspected(msgspec.Struct, frozen=True):
    """The media type by the file's bytes, the bytes that are kept, and about how many tokens a
    model reads them as; or why the file is refused."""

    media_type: str = ""
    content: bytes = b""
    tokens: int = 0
    error: str = ""


class Refused(Exception):
    """A file that is not taken; the message is for its sender."""
