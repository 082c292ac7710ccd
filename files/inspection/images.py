"""Images, read and written anew by Pillow: what their makers and cameras have added (EXIF, places,
other files behind the image) is gone."""

import io

from files.inspection.result import Inspected, Refused

MAX_PIXELS = 40_000_000
"""An image of some kilobytes may say that it has billions."""
MAX_SIDE = 2048
"""Pixels; models make larger images smaller themselves."""
PIXELS_OF_TOKEN = 750
"""By https://platform.claude.com/docs/en/build-with-claude/vision (read 2026-11)."""


def read_image(content: bytes, kind: str) -> Inspected:
    """An image of this kind, upright, with its first frame only. Raises `Refused`."""
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = None  # the bound is ours, and says so
    try:
        with Image.open(io.BytesIO(content), formats=[kind]) as image:
            if image.width * image.height > MAX_PIXELS:
                raise Refused(f"An image has at most {MAX_PIXELS // 1_000_000} million pixels.")
            image.draft("RGB", (MAX_SIDE, MAX_SIDE))  # of a JPEG no more is decoded than is kept
            image.load()
            upright = ImageOps.exif_transpose(image)
            clear = "A" in upright.getbands() or "transparency" in upright.info
            plain = upright.convert("RGBA" if clear else "RGB")
            plain.thumbnail((MAX_SIDE, MAX_SIDE))
    except (OSError, ValueError, SyntaxError):
        raise Refused("The image is damaged.") from None
    written = io.BytesIO()
    bare = Image.new(plain.mode, plain.size)
    bare.paste(plain)
    if kind == "JPEG":
        bare.save(written, "JPEG", quality=90)
    else:
        bare.save(written, "PNG")
    tokens = plain.width * plain.height // PIXELS_OF_TOKEN + 1
    media_type = "image/jpeg" if kind == "JPEG" else "image/png"
    return Inspected(media_type, written.getvalue(), tokens)
