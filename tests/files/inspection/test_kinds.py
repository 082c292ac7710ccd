"""`files.inspection.kinds`: what is taken, by its bytes, and what is refused in words."""

import io

import pytest
from PIL import Image

from files.inspection import kinds
from files.inspection.kinds import inspect
from files.inspection.result import Refused
from tests.files.samples import bomb, image, photo
from tests.knowledge.extraction import files

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
SVG = (
    b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
)


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (image("PNG"), "image/png"),
        (image("JPEG"), "image/jpeg"),
        (image("GIF"), "image/png"),
        (image("WEBP"), "image/png"),
        (files.pdf("Hi"), "application/pdf"),
        (b"Hi there", "text/plain"),
        ("Grüße".encode(), "text/plain"),
        (b"<p>Hi</p>", "text/plain"),
    ],
)
def test_it_works(content, media_type):
    found = inspect(content)
    assert found.media_type == media_type and found.tokens > 0
    assert media_type.startswith("image/") or found.content == content


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (HEIC, "HEIC"),
        (SVG, "SVG"),
        (b"  <svg onload=alert(1)>", "SVG"),
        (bomb(10_000, 10_000), "million pixels"),
        (bomb(2**31 - 1, 2**31 - 1), "damaged|million pixels"),
        (bomb(100, 100), "damaged"),
        (image("PNG")[:40], "damaged"),
        (files.protected(), "password"),
        (b"%PDF-1.7 nothing", "damaged"),
        (b"MZ\x90\0", "not taken"),
        (b"\xff\xfe\0\0", "not taken"),
    ],
)
def test_what_is_hostile_or_unknown_is_refused_in_words(content, said):
    with pytest.raises(Refused, match=said):
        inspect(content)


def test_b4_a_zip_bomb_is_refused_in_words():
    with pytest.raises(Refused, match="not taken"):
        inspect(files.zip_bomb())


def test_a_pdf_and_a_text_are_bounded(monkeypatch):
    monkeypatch.setattr(kinds, "MAX_PAGES", 1)
    monkeypatch.setattr(kinds, "MAX_CHARACTERS", 10)
    for content in (files.pdf("one", "two"), b"more than that"):
        with pytest.raises(Refused, match="at most"):
            inspect(content)


def test_an_image_is_upright_and_has_nothing_but_its_pixels():
    content = inspect(photo()).content
    assert b"SECRET" not in content and b"Exif" not in content
    with Image.open(io.BytesIO(content)) as found:
        assert (found.format, found.size, dict(found.getexif())) == ("JPEG", (2, 4), {})


def test_what_hides_behind_an_image_is_gone():
    content = inspect(image("PNG") + b"PK\x03\x04<script>alert(1)</script>").content
    assert b"script" not in content


def test_a_large_image_is_made_smaller():
    with Image.open(io.BytesIO(inspect(image("PNG", (4096, 64))).content)) as found:
        assert found.size == (2048, 32)


def test_transparency_stays():
    with Image.open(io.BytesIO(inspect(image("PNG", mode="RGBA")).content)) as found:
        assert found.getpixel((0, 0)) == (255, 0, 0, 128)
