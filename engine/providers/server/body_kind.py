"""Tells the kind of a response's body from its beginning, since media types are often wrong."""

from typing import Literal, TypeAlias

BodyKind: TypeAlias = Literal["events", "json", "other"]

BLANK = b" \t\r\n"
BOM = b"\xef\xbb\xbf"
FIELDS = (b"data", b"event", b"id", b"retry")  # of an event stream; a comment begins with a colon
EVENT_STREAM = "text/event-stream"


def media_type(header: str) -> str:
    """The media type without parameters, in lower case: RFC 9110, section 8.3.1."""
    return header.partition(";")[0].strip().lower()


def kind_of(start: bytes | bytearray, content_type: str) -> BodyKind | None:
    """The kind of a body that begins with `start`; None as long as that is not clear. A body may
    begin with a line that means nothing only if its media type is that of an event stream."""
    start = start.removeprefix(BOM).lstrip(BLANK)
    if start[:1] in (b"{", b"["):
        return "json"
    if not start or BOM.startswith(start):
        return None
    if start[:1] == b":" or media_type(content_type) == EVENT_STREAM:
        return "events"
    field, colon, _ = start.partition(b":")
    if colon or b"\n" in start or b"\r" in start:
        return "events" if field.split(None, 1)[0] in FIELDS else "other"
    return None if any(name.startswith(start) for name in FIELDS) else "other"
