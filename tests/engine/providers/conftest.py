import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import uvloop

from engine.providers import open_provider, retry
from engine.providers.base import Provider
from tests.upstream import Upstream

KEY = "sk-ant-SECRET"
ADDRESS = {"anthropic": "", "openai": "/v1"}
"""The providers of model servers, and where the API of each begins at ours."""


LoopFactories = dict[str, Callable[[], asyncio.AbstractEventLoop]]
LOOPS: LoopFactories = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
"""That of development, and that of `serve`."""


def pytest_asyncio_loop_factories(item: pytest.Function) -> LoopFactories:
    """A module that imports `LOOPS` runs on each of them."""
    return getattr(item.module, "LOOPS", {"asyncio": asyncio.new_event_loop})


@pytest.fixture
async def upstream(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Upstream]:
    """A model server of the true wire formats, on a port of its own. Providers wait for
    milliseconds between retries."""
    monkeypatch.setattr(retry, "FIRST_WAIT", 0.01)
    async with Upstream() as server:
        yield server


@asynccontextmanager
async def opened(name: str, upstream: Upstream) -> AsyncIterator[Provider]:
    """A provider at that server."""
    provider = open_provider(name, api_key=KEY, base_url=upstream.url + ADDRESS[name])
    yield provider
    await provider.aclose()


@pytest.fixture
async def claude(upstream: Upstream) -> AsyncIterator[Provider]:
    async with opened("anthropic", upstream) as provider:
        yield provider


@pytest.fixture
async def chat(upstream: Upstream) -> AsyncIterator[Provider]:
    async with opened("openai", upstream) as provider:
        yield provider


@pytest.fixture(params=ADDRESS)
async def model(request: pytest.FixtureRequest, upstream: Upstream) -> AsyncIterator[Provider]:
    """One after the other."""
    async with opened(request.param, upstream) as provider:
        yield provider
