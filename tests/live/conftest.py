"""Fixtures: a model server, and server processes of the product."""

import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.live.belongings import master_key
from tests.live.clients import Rest, WebSocket
from tests.live.installation import Embedded, Installation, ScaledOut
from tests.live.scaled.stack import Stack
from tests.live.server import Server
from tests.live.visiting import SHOP, Visitor, open_to_visitors, visit
from tests.ports import free_port
from tests.postgres_server import Databases
from tests.upstream.process import UpstreamProcess


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/live" in str(item.path):
            item.add_marker(pytest.mark.live)
            if config.getoption("stack") == "scaled":
                item.add_marker(pytest.mark.postgres)
                item.add_marker(pytest.mark.redis)
                item.add_marker(pytest.mark.nginx)
                if item.get_closest_marker("embedded"):
                    item.add_marker(pytest.mark.skip("the embedded mode only"))


@pytest.fixture(scope="session")
def upstream() -> Iterator[UpstreamProcess]:
    """The model server, as a process of its own."""
    with UpstreamProcess(free_port()) as process:
        yield process


@pytest.fixture(scope="session")
def installation(
    request: pytest.FixtureRequest,
    upstream: UpstreamProcess,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Installation]:
    """Every server starts from a copy of it; `--stack` says of what kind it is."""
    folder = tmp_path_factory.mktemp("installation")
    if request.config.getoption("stack") == "embedded":
        yield Embedded(folder, upstream.url)
        return
    databases = Databases()
    try:
        yield ScaledOut(databases, folder, upstream.url, fronted=True)
    finally:
        databases.drop_all()


@pytest.fixture
def make_server(
    installation: Installation, tmp_path: Path
) -> Iterator[Callable[..., Server | Stack]]:
    """`make_server(CLAW_IDLE_TIMEOUT="2")`: a server of this test's own, started."""
    with ExitStack() as servers:
        numbers = itertools.count()

        def make(*command: str, **settings: str) -> Server | Stack:
            folder = tmp_path / f"server{next(numbers)}"
            folder.mkdir()
            return servers.enter_context(
                installation.deployed(folder, *command, **settings)
            ).start()

        yield make


@pytest.fixture(scope="module")
def server(
    request: pytest.FixtureRequest,
    installation: Installation,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server | Stack]:
    """A server that the tests of one file share, with that file's `SETTINGS` if it has any."""
    settings = getattr(request.module, "SETTINGS", {})
    with installation.deployed(tmp_path_factory.mktemp("server"), **settings) as server:
        yield server.start()


@pytest.fixture
async def rest(server: Server) -> AsyncIterator[Rest]:
    """The shared server's API with acme's key."""
    async with Rest(server.url, server.keys.acme) as client:
        yield client


@pytest.fixture
async def ws(server: Server) -> AsyncIterator[WebSocket]:
    """An authenticated socket on the shared server."""
    async with await WebSocket.open(server.ws_url, server.keys.acme) as socket:
        yield socket


@pytest.fixture(scope="module")
def welcoming(server: Server) -> None:
    """acme's agent welcomes the visitors of a shop, globex's those of the same."""
    for name in ("acme", "globex"):
        open_to_visitors(server, f"{name}-agent", allowedOrigins=[SHOP, "https://*.acme.example"])


@pytest.fixture(scope="module")
def manager_token(server: Server) -> str:
    return master_key(server, "acme")


@pytest.fixture
async def manager(server: Server, manager_token: str) -> AsyncIterator[Rest]:
    """Who may change acme's agents."""
    async with Rest(server.url, manager_token) as client:
        yield client


@pytest.fixture
async def ada(server: Server, welcoming: None) -> AsyncIterator[Visitor]:
    async with await visit(server, "acme-agent") as visitor:
        yield visitor


@pytest.fixture
async def bert(server: Server, welcoming: None) -> AsyncIterator[Visitor]:
    async with await visit(server, "acme-agent") as visitor:
        yield visitor
