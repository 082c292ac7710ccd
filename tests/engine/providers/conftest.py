from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from engine.providers import open_provider, retry
from engine.providers.base import Provider
from tests.upstream import Upstream

KEY = "sk-ant-SECRET"
ADDRESS = {"anthropic": "", "openai": "/v1"}
"""The providers of model servers, and where the API of each begins at ours."""


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
