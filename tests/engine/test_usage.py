import subprocess
import sys

import pytest

from engine.events import UsageReported
from engine.usage import FREE, TokenCounts, estimate_tokens, price, price_list_of, settle

MODEL = "claude-sonnet-5-5"


def settled(
    counts: TokenCounts, *, complete: bool = True, model: str = MODEL, seen: int = 10
) -> UsageReported:
    return settle(
        counts,
        complete=complete,
        prompt_estimate=100,
        output_estimate=seen,
        price_list="anthropic",
        model=model,
    )


def test_it_works() -> None:
    usage = settled(TokenCounts(input_tokens=1000, output_tokens=500, reasoning_tokens=20))
    assert (usage.input_tokens, usage.output_tokens, usage.reasoning_tokens) == (1000, 500, 20)
    assert usage.source == "provider"
    assert usage.cost is not None and usage.cost > 0


def test_a_zero_beside_an_answer_is_no_count() -> None:
    """Servers that do not count report zeros."""
    usage = settled(TokenCounts(input_tokens=0, output_tokens=0))
    assert (usage.input_tokens, usage.output_tokens, usage.source) == (100, 10, "estimated")


def test_a_zero_for_an_empty_answer_is_a_count() -> None:
    usage = settled(TokenCounts(input_tokens=7, output_tokens=0), seen=0)
    assert (usage.input_tokens, usage.output_tokens, usage.source) == (7, 0, "provider")


def test_what_the_provider_never_said_is_estimated() -> None:
    usage = settled(TokenCounts(), complete=False)
    assert (usage.input_tokens, usage.output_tokens, usage.source) == (100, 10, "estimated")
    usage = settled(TokenCounts(input_tokens=7))
    assert (usage.input_tokens, usage.output_tokens, usage.source) == (7, 10, "estimated")


@pytest.mark.parametrize(("said", "charged"), [(1, 10), (0, 10), (25, 25)])
def test_a_cut_call_is_charged_for_the_larger_of_said_and_seen(said: int, charged: int) -> None:
    usage = settled(TokenCounts(input_tokens=7, output_tokens=said), complete=False)
    assert (usage.output_tokens, usage.source) == (charged, "estimated")


def test_an_estimated_prompt_is_at_least_what_the_cache_held() -> None:
    usage = settled(TokenCounts(cache_read_tokens=500, cache_write_tokens=50, output_tokens=1))
    assert usage.input_tokens == 550
    assert usage.cost is not None


def test_the_price_of_an_unknown_model_is_unknown() -> None:
    assert settled(TokenCounts(input_tokens=1, output_tokens=1), model="my-own").cost is None
    assert price("openai", "llama-at-home", 1, 1, TokenCounts()) is None
    assert price(None, "gpt-5.5", 1, 1, TokenCounts()) is None
    assert price("nobody", MODEL, 1, 1, TokenCounts()) is None
    assert price("anthropic", "", 1, 1, TokenCounts()) is None


def test_the_demo_is_known_to_be_free() -> None:
    assert price(FREE, "whatever", 1000, 1000, TokenCounts()) == 0


def test_cached_input_is_part_of_the_input_and_cheaper() -> None:
    full = price("anthropic", MODEL, 1000, 0, TokenCounts())
    cached = price("anthropic", MODEL, 1000, 0, TokenCounts(cache_read_tokens=1000))
    assert full is not None and cached is not None and 0 < cached < full


def test_counts_that_contradict_each_other_have_no_price() -> None:
    """A server of any make may send them; the answer stands."""
    assert price("openai", "gpt-4o", 10, 1, TokenCounts(cache_read_tokens=20)) is None


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("a", 1), ("abcd", 1), ("abcde", 2)])
def test_any_text_is_at_least_a_token(text: str, tokens: int) -> None:
    assert estimate_tokens(len(text)) == tokens


@pytest.mark.process
def test_pricing_prints_and_warns_nothing_and_is_loaded_late() -> None:
    code = (
        "import sys, engine.usage as u; assert 'genai_prices' not in sys.modules;"
        f"u.price('anthropic', '{MODEL}', 1, 1, u.TokenCounts())"
    )
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.parametrize(
    ("provider", "base_url", "expected"),
    [
        ("anthropic", "http://127.0.0.1:9101", "anthropic"),
        ("openai", None, "openai"),
        ("openai", "https://api.openai.com/v1", "openai"),
        ("openai", "https://generativelanguage.googleapis.com/v1beta/openai/", "google"),
        ("openai", "http://127.0.0.1:11434/v1", None),
        ("openai", "https://api.openai.com.example/v1", None),
    ],
)
def test_the_address_decides_whose_prices_are_paid(
    provider: str, base_url: str | None, expected: str | None
) -> None:
    assert price_list_of(provider, base_url) == expected
