"""`engine.tools.mcp.pool`: which connections are shared, and when they end."""

from collections.abc import AsyncIterator

import pytest

from engine.tools.mcp import pool as pool_module
from engine.tools.mcp.base import Endpoint, ServerFailed
from engine.tools.mcp.pool import ServerPool
from tests.engine.tools.mcp.scripted import GUARD, ScriptedServer


@pytest.fixture
async def pool() -> AsyncIterator[ServerPool]:
    pool = ServerPool(GUARD)
    yield pool
    await pool.aclose()


async def test_it_works(pool: ServerPool, scripted_server: ScriptedServer) -> None:
    async def find() -> Endpoint:
        return scripted_server.endpoint()

    for _ in range(3):
        async with pool.use("org_1", find) as server, pool.use("org_1", find) as same:
            assert server is same
            await server.tools()
    assert scripted_server.requests["initialize"] == 1


async def test_organisations_share_nothing(
    pool: ServerPool, scripted_server: ScriptedServer
) -> None:
    async def find() -> Endpoint:
        return scripted_server.endpoint()

    async with pool.use("org_1", find) as one, pool.use("org_2", find) as other:
        assert one is not other


async def test_another_address_or_credential_is_another_server(
    pool: ServerPool, scripted_server: ScriptedServer
) -> None:
    async def find() -> Endpoint:
        return scripted_server.endpoint()

    async with pool.use("org_1", find) as before:
        scripted_server.token = "Bearer new"
        async with pool.use("org_1", find) as after:
            assert before is not after


async def test_a_connection_that_rests_is_closed_in_time(
    pool: ServerPool, scripted_server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "IDLE_SECONDS", 0.0)

    async def find() -> Endpoint:
        return scripted_server.endpoint()

    async with pool.use("org_1", find) as server:
        await server.tools()
    await scripted_server.left.wait()


async def test_an_organisation_has_only_so_many(
    pool: ServerPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "MAX_OF_ONE", 1)

    async def first() -> Endpoint:
        return Endpoint(name="a", at="https://a.test")

    async def second() -> Endpoint:
        return Endpoint(name="b", at="https://b.test")

    async with pool.use("org_1", first):
        with pytest.raises(ServerFailed, match="Too many"):
            async with pool.use("org_1", second):
                pass
        async with pool.use("org_2", second):
            pass
    async with pool.use("org_1", second):  # what rests makes room
        pass
