"""Files in the messages of foreign protocols: in the request itself, or by the id of one that is
stored already."""

import binascii
from collections.abc import Sequence
from hashlib import sha256

import msgspec

from engine.errors import invalid

IMAGES = ("image_url", "input_image")
FILES = ("file", "input_file")
OF_URLS = str.maketrans("-_", "+/")
ENDINGS = {"image/png": "image.png", "image/jpeg": "image.jpg", "application/pdf": "file.pdf"}
"""The names of files that have none."""


class ImageUrl(msgspec.Struct, frozen=True):
    """The image of a part of Chat Completions."""

    url: str


class FileFields(msgspec.Struct, frozen=True):
    """The file of a part: its content, or its id."""

    file_id: str | None = None
    filename: str | None = None
    file_data: str | None = None


class Part(FileFields, frozen=True):
    """A part of a message: a text, an image or a file. Parts of other types are not understood."""

    type: str = ""
    text: str | None = None
    refusal: str | None = None
    image_url: str | ImageUrl | None = None
    file: FileFields | None = None
    file_url: str | None = None


class SentFile(msgspec.Struct, frozen=True):
    """A file of a message; `field` is its place in the request. One with an `id` is stored."""

    field: str
    name: str = ""
    content: bytes = b""
    id: str = ""

    @property
    def identity(self) -> str:
        """The same for the same file, however often it is sent."""
        return self.id or sha256(self.content).hexdigest()


def files_of(content: str | Sequence[Part] | None, field: str) -> list[SentFile]:
    """The files among the parts of a message. Raises `invalid_message`."""
    if content is None or isinstance(content, str):
        return []
    places = ((part, f"{field}[{place}]") for place, part in enumerate(content))
    return [_file(part, place) for part, place in places if part.type in (*IMAGES, *FILES)]


def _file(part: Part, field: str) -> SentFile:
    given = part.file or part
    if given.file_id:
        return SentFile(field, id=given.file_id)
    image = part.image_url.url if isinstance(part.image_url, ImageUrl) else part.image_url
    data = image if part.type in IMAGES else given.file_data
    if data and part.type in FILES and "," not in data:
        data = f"data:;base64,{data}"
    return file_of_url(data or "", given.filename, field)


def file_of_url(url: str, name: str | None, field: str) -> SentFile:
    """The file of a data URL (RFC 2397). Raises `invalid_message` for any other address."""
    kind, _, encoded = url.partition(",")
    kind = kind.lower()
    if not kind.startswith("data:") or not kind.endswith(";base64"):
        raise invalid(field, "Send the file itself, as data:<type>;base64,<content>.")
    media_type = kind.removeprefix("data:").partition(";")[0]
    return SentFile(field, name or ENDINGS.get(media_type, "file"), _decoded(encoded, field))


def _decoded(encoded: str, field: str) -> bytes:
    """The content of base64 as clients write it: in lines, in the alphabet of URLs, or without its
    padding."""
    plain = "".join(encoded.split()).rstrip("=").translate(OF_URLS)
    try:
        return binascii.a2b_base64(plain + "=" * (-len(plain) % 4), strict_mode=True)
    except (binascii.Error, ValueError):
        raise invalid(field, "This is not base64.") from None
