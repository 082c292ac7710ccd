"""`setup.providers`: connections are shared by account, and closed in the end."""

import pytest

from agents.outbound.credentials import ProviderAccess
from conversations.execution.setup import providers
from conversations.execution.setup.providers import ProviderPool


def access(key: str = "k") -> ProviderAccess:
    return ProviderAccess(provider="demo", model="demo", api_key=key)


async def test_it_works():
    pool = ProviderPool()
    async with pool.use(access()) as one, pool.use(access()) as other:
        assert one is other
    async with pool.use(access()) as later:
        assert later is one
    await pool.aclose()


async def test_p24_accounts_share_nothing():
    pool = ProviderPool()
    async with pool.use(access("a")) as one, pool.use(access("b")) as other:
        assert one is not other
    await pool.aclose()


async def test_of_the_accounts_that_nobody_uses_the_oldest_is_closed(monkeypatch):
    monkeypatch.setattr(providers, "MAX_IDLE", 2)
    pool = ProviderPool()
    seen = {}
    async with pool.use(access("used")) as used:
        for key in "abc":
            async with pool.use(access(key)) as provider:
                seen[key] = provider
        async with pool.use(access("c")) as again, pool.use(access("a")) as anew:
            assert again is seen["c"]
            assert anew is not seen["a"]
        async with pool.use(access("used")) as still:
            assert still is used
    await pool.aclose()


async def test_what_is_in_use_is_not_closed_with_the_pool():
    pool = ProviderPool()
    async with pool.use(access()) as provider:
        await pool.aclose()
        async with pool.use(access()) as same:
            assert same is provider
    await pool.aclose()


@pytest.mark.parametrize("transport", ["own", "sdk"])
async def test_the_operator_chooses_the_transport(settings, transport):
    settings.CLAW_ANTHROPIC_TRANSPORT = transport
    pool = ProviderPool()
    claude = ProviderAccess(provider="anthropic", model="m", api_key="k")
    async with pool.use(claude) as provider:
        assert type(provider).__module__.endswith(".sdk") is (transport == "sdk")
    async with pool.use(access()) as demo:
        assert demo.name == "demo"
    await pool.aclose()
