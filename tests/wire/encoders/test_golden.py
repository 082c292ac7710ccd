"""Other people's clients read the same bytes today as yesterday."""

import random

import pytest

from tests import fixtures
from tests.wire.contract import batch_of
from tests.wire.encoders import golden


@pytest.mark.parametrize("protocol", golden.PROTOCOLS)
@pytest.mark.parametrize("name", fixtures.NAMES)
def test_it_works(protocol: str, name: str) -> None:
    assert golden.said(protocol, name) == golden.path(protocol, name).read_bytes()


@pytest.mark.parametrize("protocol", golden.PROTOCOLS)
@pytest.mark.parametrize("name", fixtures.NAMES)
def test_random_batches_give_the_same_bytes(protocol: str, name: str) -> None:
    dice = random.Random(name)
    types, lines, last = batch_of(name)
    for _ in range(20):
        one, at, first = golden.encoder(protocol), 0, last - len(lines)
        writes = one.opening()
        while at < len(lines):
            end = min(len(lines), at + dice.randint(1, 5))
            writes = writes + one.events((types[at:end], lines[at:end], first + end))
            at = end
        whole = b"".join([*writes, *one.close()])
        assert whole == golden.path(protocol, name).read_bytes()
