"""Open model connections, shared by all runs that use the same account."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

from django.conf import settings

from agents.outbound.credentials import ProviderAccess
from engine.http.guard import Guard
from engine.providers.base import Provider
from engine.providers.registry import PROVIDERS, open_provider, provider_factory
from engine.usage import load_prices

MAX_IDLE = 100  # accounts without a run whose connections are kept

Account: TypeAlias = tuple[str, str | None, str | None, bool]


class ProviderPool:
    """One provider for each account; of those that nobody uses the oldest are closed."""

    def __init__(self) -> None:
        self._open: dict[Account, Provider] = {}
        self._users: dict[Account, int] = {}
        self._idle: OrderedDict[Account, None] = OrderedDict()
        self._priced = False  # whether prices are loaded: once, not a thread hop for each run
        self._sdk = settings.CLAW_ANTHROPIC_TRANSPORT == "sdk"
        if self._sdk:
            provider_factory("anthropic", sdk=True)  # a second, while nobody waits for an answer

    @asynccontextmanager
    async def use(self, access: ProviderAccess) -> AsyncIterator[Provider]:
        """The provider for this access, open for as long as the context is."""
        account = (access.provider, access.api_key, access.base_url, access.guarded)
        if account not in self._open:
            guard = Guard(settings.CLAW_ALLOW_PRIVATE_NETWORKS) if access.guarded else None
            self._open[account] = open_provider(
                access.provider,
                api_key=access.api_key,
                base_url=access.base_url,
                guard=guard,
                sdk=self._sdk,
            )
        self._idle.pop(account, None)
        self._users[account] = self._users.get(account, 0) + 1
        try:
            if not PROVIDERS[access.provider].local and not self._priced:
                await asyncio.to_thread(load_prices)
                self._priced = True
            yield self._open[account]
        finally:
            self._users[account] -= 1
            if not self._users[account]:
                del self._users[account]
                self._idle[account] = None
                await self._close_idle(MAX_IDLE)

    async def aclose(self) -> None:
        """Close all that nobody uses."""
        await self._close_idle(0)

    async def _close_idle(self, most: int) -> None:
        while len(self._idle) > most:
            account, _ = self._idle.popitem(last=False)
            await self._open.pop(account).aclose()
