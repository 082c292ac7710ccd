"""The benchmark's model server speaks both wire formats as our providers read them."""

from collections.abc import Iterator

import pytest

from bench.measuring import Upstream, upstream
from engine.providers.anthropic import AnthropicProvider
from engine.providers.base import Delta, Finished, Provider, TextDelta
from engine.providers.openai import OpenAIProvider
from engine.request import ModelRequest, Turn


@pytest.fixture
def model() -> Iterator[Upstream]:
    with upstream() as running:
        yield running


@pytest.fixture(params=["anthropic", "openai"])
def provider(request: pytest.FixtureRequest, model: Upstream) -> Provider:
    if request.param == "anthropic":
        return AnthropicProvider(api_key="sk-test", base_url=model.url)
    return OpenAIProvider(api_key="sk-test", base_url=f"{model.url}/v1")


async def ask(provider: Provider, order: str) -> list[Delta]:
    found: list[Delta] = []
    request = ModelRequest(
        model="bench", instructions="", turns=[Turn(role="user", content=order)], max_tokens=10
    )
    await provider.call(request, found.extend, idle_timeout=10)
    return found


async def test_it_works(provider: Provider, model: Upstream) -> None:
    found = await ask(provider, "an older tokens=9 every=9, now tokens=5 every=1")

    texts = [delta.text for delta in found if isinstance(delta, TextDelta)]
    assert [text.partition(":")[0] for text in texts] == list("01234")
    assert isinstance(found[-1], Finished)
    assert model.stats()["tokens"] == 5
    assert model.stats()["tokens"] == 0
    await provider.aclose()


async def test_a_connection_is_used_again(provider: Provider) -> None:
    for _ in range(3):
        assert len(await ask(provider, "tokens=2 every=0")) >= 3
    await provider.aclose()


async def test_a_token_may_be_long(provider: Provider) -> None:
    found = await ask(provider, "tokens=2 every=1 pad=8000")

    assert [len(d.text) > 8000 for d in found if isinstance(d, TextDelta)] == [True, True]
    await provider.aclose()
