"""Here a server is always a stack of many processes."""

from collections.abc import Iterator

import pytest

from tests.live.installation import ScaledOut
from tests.postgres_server import Databases
from tests.upstream.process import UpstreamProcess


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/live/scaled" in str(item.path):
            item.add_marker(pytest.mark.scaled)
            item.add_marker(pytest.mark.postgres)
            item.add_marker(pytest.mark.redis)


@pytest.fixture(scope="session")
def installation(
    upstream: UpstreamProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ScaledOut]:
    """On the machine's PostgreSQL."""
    databases = Databases()
    try:
        yield ScaledOut(databases, tmp_path_factory.mktemp("installation"), upstream.url)
    finally:
        databases.drop_all()
