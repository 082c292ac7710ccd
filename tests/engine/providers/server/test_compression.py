import gzip
import zlib

import pytest

from engine.errors import ProviderError
from engine.providers.server.compression import (
    MAX_AT_ONCE,
    MAX_CODINGS,
    PIECE,
    Inflater,
    codings_of,
)

TEXT = b"".join(b"data: %d\n\n" % number for number in range(20_000))


def deflated(data: bytes) -> bytes:
    """Without the head of zlib, as some servers understand `deflate`."""
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACKED = {
    "gzip": gzip.compress(TEXT),
    "x-gzip": gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:]),
    "deflate": zlib.compress(TEXT),
    "gzip,deflate": zlib.compress(gzip.compress(TEXT)),
    "deflate,gzip": gzip.compress(deflated(TEXT)),
    "gzip,gzip,gzip": gzip.compress(gzip.compress(gzip.compress(TEXT))),
}


def inflated(coding: str, data: bytes, step: int = 10**9) -> list[bytes]:
    inflater = Inflater(codings_of(coding))
    steps = range(0, len(data), step)
    return [piece for at in steps for piece in inflater.feed(data[at : at + step])]


@pytest.mark.parametrize("step", [1, 1000, 10**9])
@pytest.mark.parametrize("coding", PACKED)
def test_it_works(coding: str, step: int) -> None:
    pieces = inflated(coding, PACKED[coding], step)
    assert b"".join(pieces) == TEXT
    assert all(0 < len(piece) <= PIECE for piece in pieces)


@pytest.mark.parametrize("step", [1, 10**9])
def test_deflate_without_its_head(step: int) -> None:
    assert b"".join(inflated("deflate", deflated(TEXT), step)) == TEXT


@pytest.mark.parametrize(
    "body",
    [b"data: 1\n\n", b": ping\n\n", b'{"error": 1}', b"\r\n [1]", b"\xef\xbb\xbfevent: x\n\n"],
)
def test_a_body_that_is_not_compressed_is_taken_as_it_is(body: bytes) -> None:
    for coding in ("gzip", "deflate", "gzip, gzip", "br", "utf-8"):
        for step in (1, 10**9):
            found = b"".join(inflated(coding, body, step))
            assert found.strip() == body.strip(), (coding, step)


def test_a_page_under_the_name_of_gzip_is_taken_as_it_is() -> None:
    assert inflated("gzip", b"<html>") == [b"<html>"]


def test_a_body_that_is_compressed_less_often_than_its_header_says() -> None:
    assert b"".join(inflated("gzip, gzip", gzip.compress(TEXT))) == TEXT


def test_a_token_that_was_flushed_is_there_at_once() -> None:
    packer, inflater = zlib.compressobj(wbits=31), Inflater(["gzip"])
    for token in (b"a", b"b"):
        data = packer.compress(token) + packer.flush(zlib.Z_SYNC_FLUSH)
        assert b"".join(inflater.feed(data)) == token


def test_a_small_body_that_is_huge_is_refused() -> None:
    bomb = gzip.compress(bytes(100 * MAX_AT_ONCE))
    for coding in ("gzip", "gzip, gzip", "deflate, gzip"):
        inflater, size = Inflater(codings_of(coding)), 0
        with pytest.raises(ProviderError):
            for piece in inflater.feed(gzip.compress(bomb) if coding == "gzip, gzip" else bomb):
                size += len(piece)
        assert size <= MAX_AT_ONCE, coding


@pytest.mark.parametrize(
    "coding", ["br", "zstd", "compress", "gzip, br", "nonsense", ", ".join(["gzip"] * 5)]
)
def test_what_we_cannot_read_is_named(coding: str) -> None:
    assert MAX_CODINGS < 5
    with pytest.raises(ProviderError) as caught:
        inflated(coding, b"\x1f\x8b\x08 whatever")
    assert coding.split()[-1] in caught.value.reason and not caught.value.retryable


@pytest.mark.parametrize("coding", PACKED)
def test_damage_is_named(coding: str) -> None:
    data = PACKED[coding]
    with pytest.raises(ProviderError) as caught:
        inflated(coding, data[:20] + bytes(20) + data[40:])
    assert coding.rpartition(",")[2] in caught.value.reason


@pytest.mark.parametrize(
    ("header", "codings"),
    [
        ("", []),
        ("identity", []),
        (" GZIP ", ["gzip"]),
        ("Identity, br", ["br"]),
        ("a,b", ["a", "b"]),
    ],
)
def test_the_names_of_codings(header: str, codings: list[str]) -> None:
    assert codings_of(header) == codings
