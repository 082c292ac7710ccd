"""Claude, by the Messages API.

Without the SDK (docs/decisions/0008): what it would add to a request are two headers, and a test
compares ours with what it sends. `anthropic_sdk` is the same over the SDK.
"""

from functools import partial

import msgspec

from engine.net import Guard
from engine.providers.anthropic_decode import Decoder
from engine.providers.anthropic_wire import VERSION, encode_request
from engine.providers.base import Sink
from engine.providers.faults import fault
from engine.providers.pool import Pool
from engine.providers.reading import Poster, read_answer
from engine.providers.retry import retrying
from engine.request import ModelRequest

BASE_URL = "https://api.anthropic.com"


class AnthropicProvider:
    """One account at one Messages API server."""

    name = price_list = "anthropic"

    def __init__(
        self, *, api_key: str | None, base_url: str | None = None, guard: Guard | None = None
    ) -> None:
        """No key or address comes from the environment.

        Raises `ProviderError` for no key, or one that no header can hold, or a malformed URL."""
        if not api_key or not api_key.isascii() or not api_key.isprintable():
            raise fault("upstream_error", "no usable API key is configured", retryable=False)
        self._key = api_key
        try:
            self._pool = self._open_pool(base_url or BASE_URL, guard)
        except ValueError as error:
            reason = f"unusable base URL: {error}"
            raise fault("upstream_error", reason, retryable=False) from None

    async def call(self, request: ModelRequest, sink: Sink, *, idle_timeout: float) -> None:
        """See `Provider.call`."""
        body = msgspec.json.encode(encode_request(request))
        await retrying(partial(self._attempt, body, idle_timeout), sink)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._pool.aclose()

    def _open_pool(self, base_url: str, guard: Guard | None) -> Poster:
        headers = {
            "authorization": f"Bearer {self._key}",
            "anthropic-version": VERSION,
            "content-type": "application/json",
            "accept": "text/event-stream",
            "accept-encoding": "identity",  # a compressed token would be late
            "user-agent": "clawsite",
        }
        return Pool(base_url, "/v1/messages", headers, guard)

    async def _attempt(self, body: bytes, idle_timeout: float, sink: Sink) -> None:
        decoder = partial(Decoder, self._key)
        refusal = await read_answer(self._pool, body, decoder, sink, idle_timeout)
        if refusal is not None:
            raise refusal.error(self._key)
