"""The benchmark's model server speaks both wire formats as our providers read them."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from bench.machine import family
from bench.measuring import Upstream, upstream
from engine.providers.anthropic.provider import AnthropicProvider
from engine.providers.base import Delta, Finished, Provider, TextDelta
from engine.providers.openai.provider import OpenAIProvider
from engine.request import ModelRequest, Turn
from tests.engine.providers.contract import pieces_of

pytestmark = pytest.mark.process


@pytest.fixture
def model(language: str) -> Iterator[Upstream]:
    with upstream() as running:
        yield running


@pytest.fixture(params=["anthropic", "openai"])
def provider(request: pytest.FixtureRequest, model: Upstream) -> Provider:
    if request.param == "anthropic":
        return AnthropicProvider(api_key="sk-test", base_url=model.url)
    return OpenAIProvider(api_key="sk-test", base_url=f"{model.url}/v1")


async def ask(provider: Provider, order: str, begun: asyncio.Event | None = None) -> list[Delta]:
    """The whole answer; `begun` is set when the first of its text is there."""
    found: list[Delta] = []

    def take(deltas: Sequence[Delta]) -> None:
        found.extend(deltas)
        if begun and isinstance(found[-1], TextDelta):
            begun.set()

    request = ModelRequest(
        model="bench", instructions="", turns=[Turn(role="user", content=order)], max_tokens=10
    )
    await provider.call(request, take, idle_timeout=10)
    return found


def command(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_text().split("\0")


async def test_it_works(provider: Provider, model: Upstream) -> None:
    found = await ask(provider, "an older tokens=9 every=9, now tokens=5 every=1")

    texts = pieces_of(found)
    assert [text.partition(":")[0] for text in texts] == list("01234")
    assert isinstance(found[-1], Finished)
    assert model.stats()["tokens"] == 5
    assert model.stats()["tokens"] == 0
    await provider.aclose()


async def test_a_connection_is_used_again(provider: Provider) -> None:
    for _ in range(3):
        assert len(await ask(provider, "tokens=2 every=0")) >= 3
    await provider.aclose()


async def test_what_has_no_end_is_finished(provider: Provider, model: Upstream) -> None:
    begun = asyncio.Event()
    asking = asyncio.create_task(ask(provider, "tokens=0 every=1", begun))
    await begun.wait()
    told = await asyncio.to_thread(model.finish)

    assert isinstance((await asking)[-1], Finished)
    assert told["tokens"] > 0
    await provider.aclose()


def test_a_token_that_was_held_up_is_late(model: Upstream) -> None:
    request = Request(f"{model.url}/v1/messages", b"tokens=2 every=300", method="POST")
    port = model.url.rpartition(":")[2]
    (process,) = [pid for pid in family(os.getpid()) if port in command(pid)]
    with urlopen(request, timeout=10) as answer:
        while b"text_delta" not in answer.readline():
            pass
        os.kill(process, signal.SIGSTOP)
        time.sleep(0.4)  # the second token is due meanwhile
        os.kill(process, signal.SIGCONT)
        answer.read()

    told = model.stats()

    assert (told["tokens"], told["late"]) == (2, 1)
    assert 50 < told["latest_ms"] < 5000


async def test_a_token_may_be_long(provider: Provider) -> None:
    found = await ask(provider, "tokens=2 every=1 pad=8000")

    assert [len(piece) > 8000 for piece in pieces_of(found)] == [True, True]
    await provider.aclose()
