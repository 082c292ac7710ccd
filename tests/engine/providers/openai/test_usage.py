from typing import Any

import pytest

from engine.providers.openai.usage import UsageReader
from engine.usage import TokenCounts


def read(*said: Any) -> TokenCounts:
    reader, counts = UsageReader(), TokenCounts()
    for usage in said:
        counts = reader.read(usage) or counts
    return counts


def both(*said: Any) -> tuple[int | None, int | None]:
    counts = read(*said)
    return counts.input_tokens, counts.output_tokens


def used(given: Any, output: Any) -> dict[str, Any]:
    return {"prompt_tokens": given, "completion_tokens": output}


def test_it_works() -> None:
    details = {"prompt_tokens_details": {"cached_tokens": 2}}
    details["completion_tokens_details"] = {"reasoning_tokens": 3}
    assert read(used(11, 5) | details) == TokenCounts(
        input_tokens=11, output_tokens=5, cache_read_tokens=2, reasoning_tokens=3
    )


@pytest.mark.parametrize("usage", [used(11.0, 5.0), used("11", "5"), used("11.0", 5)])
def test_numbers_may_be_written_in_several_ways(usage: Any) -> None:
    assert both(usage) == (11, 5)


@pytest.mark.parametrize(
    "count", [None, -1, 2**31, "many", "", True, [5], {}, 1e300, float("nan"), "1e400"]
)
def test_a_count_that_nobody_can_believe_is_unknown(count: Any) -> None:
    assert both(used(count, 5) | {"total_tokens": count}) == (None, 5)


@pytest.mark.parametrize("usage", ["many", [1, 2], 5, True, None])
def test_what_is_no_usage_changes_nothing(usage: Any) -> None:
    assert UsageReader().read(usage) is None
    assert both(used(11, 5), usage) == (11, 5)


def test_the_last_counts_that_say_something_stand() -> None:
    assert both(used(0, 0), used(11, 5)) == (11, 5)
    assert both(used(11, 1), used(11, 5)) == (11, 5)
    assert both(used(11, 5), used(0, 0)) == (11, 5)
    assert both(used(11, 5), {"choices": None}) == (11, 5)
    assert both(used(11, 0)) == (11, 0)


def test_other_names_are_known() -> None:
    usage = {"input_tokens": 11, "output_tokens": 5, "prompt_cache_hit_tokens": 4}
    assert read(usage) == TokenCounts(input_tokens=11, output_tokens=5, cache_read_tokens=4)


def test_a_total_of_the_prompt_alone_says_nothing_of_the_answer() -> None:
    assert both({"prompt_tokens": 11, "total_tokens": 11}) == (11, None)
