"""Other people's clients read the same bytes today as yesterday."""

import random

import pytest

from tests import fixtures
from tests.wire.contract import batch_of
from tests.wire.encoders import golden


@pytest.mark.parametrize("protocol", golden.PROTOCOLS)
def test_it_works(protocol: str) -> None:
    for name in fixtures.NAMES:
        assert golden.said(protocol, name) == golden.path(protocol, name).read_bytes(), name


@pytest.mark.parametrize("protocol", golden.PROTOCOLS)
def test_random_batches_give_the_same_bytes(protocol: str) -> None:
    for name in fixtures.NAMES:
        expected, dice = golden.path(protocol, name).read_bytes(), random.Random(name)
        for _ in range(20):
            assert in_random_batches(protocol, name, dice) == expected, name


def in_random_batches(protocol: str, name: str, dice: random.Random) -> bytes:
    types, lines, last = batch_of(name)
    one, at, first = golden.encoder(protocol), 0, last - len(lines)
    writes = one.opening()
    while at < len(lines):
        end = min(len(lines), at + dice.randint(1, 5))
        writes = writes + one.events((types[at:end], lines[at:end], first + end))
        at = end
    return b"".join([*writes, *one.close()])
