import re

import pytest

from engine.providers.base import Provider
from engine.providers.demo import calls
from engine.providers.demo.provider import DIRECTIVE, number
from engine.providers.demo.text import ANSWER
from engine.providers.registry import open_provider
from tests.engine.providers.contract import (
    ProviderContract,
    ask,
    collect,
    counts_of,
    fail,
    text_of,
)


@pytest.fixture
def provider() -> Provider:
    return open_provider("demo")


class TestDemo(ProviderContract):
    short = ask("/delay 0\n/echo one two three")
    thoughtful = ask("/delay 0\n/think")
    slow = ask("/long 1000")
    failing = ask("/delay 0\n/fail")


async def test_it_says_that_it_is_the_demo_and_how_to_connect_a_model(provider: Provider) -> None:
    text = text_of(await collect(provider, ask("Hello\n/delay 0")))
    assert text == ANSWER
    assert "built-in demo" in text and "ANTHROPIC_API_KEY" in text


@pytest.mark.parametrize("directives", [DIRECTIVE, calls.DIRECTIVE])
async def test_its_answer_documents_every_directive(directives: re.Pattern[str]) -> None:
    from engine.providers.demo import provider as demo

    for name in directives.pattern.split("(")[1].split(")")[0].split("|"):
        assert f"`/{name}" in ANSWER
        assert f"    /{name} " in (demo.__doc__ or "")


async def test_echo_repeats_the_text(provider: Provider) -> None:
    assert (
        text_of(await collect(provider, ask("/delay 0\n/echo  héllo  wörld "))) == "héllo  wörld "
    )


@pytest.mark.parametrize(("asked", "words"), [("7", 7), ("", 1000), ("99999999999999", 10_000)])
async def test_long_has_so_many_words(provider: Provider, asked: str, words: int) -> None:
    deltas = await collect(provider, ask(f"/delay 0\n/long {asked}"))
    assert len(text_of(deltas).split()) == words
    assert counts_of(deltas).output_tokens == words


async def test_a_directive_counts_only_at_the_start_of_a_line(provider: Provider) -> None:
    assert text_of(await collect(provider, ask("please /echo no\n/delay 0\n/echoes"))) == ANSWER


async def test_fail_keeps_the_first_ten_words(provider: Provider) -> None:
    deltas, error = await fail(provider, ask("/delay 0\n/fail"))
    assert len(text_of(deltas).split()) == 10
    assert (error.code, error.retryable) == ("upstream_error", True)


def test_a_number_is_bounded() -> None:
    assert [number(text, 5, 100) for text in ("", "x", "0", "42 ms", "4242")] == [5, 5, 0, 42, 100]
