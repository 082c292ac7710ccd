"""Garbage in cycles is looked for less often, and found all the same."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from clawsite.server import garbage


class Ring:
    """Refers to itself."""

    def __init__(self) -> None:
        self.ring = self


@pytest.fixture
def settled() -> Iterator[None]:
    thresholds = gc.get_threshold()
    gc.unfreeze()  # what the tests themselves have frozen (tests/conftest.py)
    garbage.settle()
    yield
    gc.set_threshold(*thresholds)


def test_it_works(settled: None) -> None:
    assert gc.get_freeze_count() > 10_000  # what is loaded
    assert gc.get_threshold()[2] == garbage.FULL


def test_a_cycle_that_has_grown_old_is_found(settled: None) -> None:
    ring = Ring()
    gc.collect(1)  # it is old now: only a full collection looks at it
    left = weakref.ref(ring)
    del ring
    young, middle, _ = gc.get_threshold()
    kept: list[list[None]] = []
    while left() is not None and len(kept) < 2 * young * middle * garbage.FULL:
        kept.append([])
    assert left() is None
