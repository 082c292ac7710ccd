"""A measurement of the product completes and loses nothing. No time is asserted here."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from bench.measuring import Upstream, measure, overloaded, upstream
from bench.subjects import Stage, Subject, product

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def measured(language: str) -> Iterator[tuple[Upstream, Subject]]:
    with upstream() as model, ExitStack() as owned, product(Stage(model.url, owned)) as subject:
        yield model, subject


@pytest.mark.parametrize("door", ["ws", "sse"])
def test_it_works(measured: tuple[Upstream, Subject], door: str) -> None:
    result = measure(*measured, door, streams=5, window=0.5)

    assert (result["failures"], result["unfinished"], result["error"]) == (0, 0, "")
    assert result["streaming"] == result["answers"] == 5
    assert result["window_tokens"] > 0


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


def test_probes_ask_while_the_others_stream(measured: tuple[Upstream, Subject]) -> None:
    result = measure(*measured, streams=2, probes=3, window=1)

    assert (result["failures"], result["unfinished"]) == (0, 0)
    assert (result["first"]["count"], result["first_in_window"]["count"]) == (2, 3)
    assert result["answers"] == 5


def test_a_client_that_stops_reading_is_unfinished(measured: tuple[Upstream, Subject]) -> None:
    options = {"streams": 3, "stalled": 2, "order": "tokens=0 every=20 pad=8000"}
    result = measure(*measured, **options, window=0.5)

    assert (result["failures"], result["unfinished"], result["answers"]) == (0, 2, 1)


def test_clients_may_only_be_there(measured: tuple[Upstream, Subject]) -> None:
    result = measure(*measured, streams=3, idle=1, window=0.2)

    assert (result["failures"], result["streaming"], result["tokens"]) == (0, 0, 0)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"load_full": False, "upstream_late": 0.0}, False),
        ({"load_full": True, "upstream_late": 0.0}, True),
        ({"load_full": False, "upstream_late": 0.2}, True),
        ({"failures": 1, "error": "the clients did not end"}, False),
    ],
)
def test_clients_at_their_limit_are_told_apart(found: dict[str, Any], expected: bool) -> None:
    assert overloaded(found) is expected
