"""`knowledge.embeddings.bits`."""

from knowledge.embeddings.bits import in_digits


def test_it_works():
    assert in_digits(b"\x06\x80") == "0000011010000000"
