"""Files as messages bring them, and hostile ones."""

import io
import struct
import zlib

from PIL import Image


def image(kind: str = "PNG", size: tuple[int, int] = (4, 2), mode: str = "RGB") -> bytes:
    """An image of this kind, all red."""
    file = io.BytesIO()
    Image.new(mode, size, "red" if mode != "RGBA" else (255, 0, 0, 128)).save(file, kind)
    return file.getvalue()


def photo() -> bytes:
    """A JPEG of 4 by 2 pixels that its EXIF turns upright, with a place and a comment."""
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "SECRET PLACE"
    Image.new("RGB", (4, 2), "red").save(file, "JPEG", exif=exif, comment=b"SECRET WORDS")
    return file.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A PNG of few bytes that says it has so many pixels."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _part(b"IHDR", head) + _part(b"IDAT", zlib.compress(b"\0" * 99))


def _part(kind: bytes, data: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + check
