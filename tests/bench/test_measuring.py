"""A measurement of the product completes and loses nothing. No time is asserted here."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from bench.measuring import Upstream, measure, upstream
from bench.subjects import Stage, Subject, product

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def measured() -> Iterator[tuple[Upstream, Subject]]:
    with upstream() as model, ExitStack() as owned, product(Stage(model.url, owned)) as subject:
        yield model, subject


@pytest.mark.parametrize("door", ["ws", "sse"])
def test_it_works(measured: tuple[Upstream, Subject], door: str) -> None:
    result = measure(*measured, door, streams=5, window=0.5)

    assert (result["failures"], result["unfinished"], result["error"]) == (0, 0, "")
    assert result["streaming"] == result["answers"] == 5
    assert result["us_per_token"] > 0


def test_short_answers_one_after_the_other(measured: tuple[Upstream, Subject]) -> None:
    result = measure(*measured, streams=2, repeat=1, order="tokens=3 every=1", window=1)

    assert (result["failures"], result["unfinished"]) == (0, 0)
    # The window may begin and end in the middle of an answer of each.
    assert 0 < 3 * result["answers"] - 6 <= result["tokens"] <= 3 * result["answers"] + 6


def test_clients_that_are_cut_come_back_to_where_they_were(
    measured: tuple[Upstream, Subject],
) -> None:
    resume = measured[1].doors["ws"].resume
    options = {"streams": 3, "resume": resume, "resumes": 10, "window": 2}
    result = measure(*measured, **options)

    assert (result["failures"], result["unfinished"], result["error"]) == (0, 0, "")
    assert result["resumed"]["count"] == 3
    assert result["answers"] == 3
