"""The `openai` library, as its users make it, with no network but ours."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
from openai import AsyncOpenAI

from tests.live.clients import TIMEOUT


@asynccontextmanager
async def opened(
    address: str, token: str, *, retries: int = 0, **headers: str
) -> AsyncIterator[AsyncOpenAI]:
    """A client of `<address>/v1`; it reads nothing of the environment."""
    transport = httpx2.AsyncClient(trust_env=False, timeout=TIMEOUT)
    async with AsyncOpenAI(
        api_key=token,
        base_url=f"{address}/v1",
        http_client=transport,
        max_retries=retries,
        default_headers=headers,
    ) as client:
        yield client
