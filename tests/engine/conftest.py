import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
import uvloop

from engine.http.dialer import tls_context
from engine.http.guard import Guard
from engine.providers.base import Provider
from engine.providers.registry import open_provider
from engine.providers.server import retry
from tests.engine.http.servers import certify
from tests.upstream import Upstream

KEY = "sk-ant-SECRET"


class Way(NamedTuple):
    """How to a model server: the provider, and where its API begins at the server of the tests."""

    provider: str
    path: str
    sdk: bool = False

    def open(self, url: str, guard: Guard | None = None) -> Provider:
        return open_provider(
            self.provider, api_key=KEY, base_url=url + self.path, guard=guard, sdk=self.sdk
        )


WAYS_TO_CLAUDE = {"anthropic": Way("anthropic", ""), "sdk": Way("anthropic", "", sdk=True)}
WAYS = WAYS_TO_CLAUDE | {"openai": Way("openai", "/v1")}


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


@pytest.fixture
def server_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ssl.SSLContext]:
    """What a TLS server needs whom we trust."""
    context, trusted = certify(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    tls_context.cache_clear()
    yield context
    tls_context.cache_clear()


@asynccontextmanager
async def opened(way: str, upstream: Upstream) -> AsyncIterator[Provider]:
    """A provider at that server."""
    provider = WAYS[way].open(upstream.url)
    yield provider
    await provider.aclose()


@pytest.fixture(params=WAYS_TO_CLAUDE)
async def claude(request: pytest.FixtureRequest, upstream: Upstream) -> AsyncIterator[Provider]:
    """By our own transport, and by the SDK."""
    async with opened(request.param, upstream) as provider:
        yield provider


@pytest.fixture
async def chat(upstream: Upstream) -> AsyncIterator[Provider]:
    async with opened("openai", upstream) as provider:
        yield provider


@pytest.fixture(params=WAYS)
async def model(request: pytest.FixtureRequest, upstream: Upstream) -> AsyncIterator[Provider]:
    """One after the other."""
    async with opened(request.param, upstream) as provider:
        yield provider
