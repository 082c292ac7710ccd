"""The provider of Claude, over the Messages API.

Without the SDK (docs/decisions/0008): what it would add to a request are two headers, and a test
compares ours with what it sends. `anthropic_sdk` is the same over the SDK.
"""

from functools import partial

from engine.http.guard import Guard
from engine.http.pool import Pool
from engine.providers.anthropic.decode import Decoder
from engine.providers.anthropic.wire import VERSION, encode_request
from engine.providers.base import Sink
from engine.providers.server.call import Form, Poster, answered
from engine.providers.server.refusals.faults import fault
from engine.providers.server.refusals.parameters import Parameters
from engine.providers.server.retry import retrying
from engine.request import ModelRequest

BASE_URL = "https://api.anthropic.com"
PATH = "/v1/messages"
REQUIRED = frozenset(
    {"model", "messages", "max_tokens", "stream", "system", "tools", "tool_choice"}
)


class AnthropicProvider:
    """One account at one Messages API server."""

    name = price_list = "anthropic"

    def __init__(
        self, *, api_key: str | None, base_url: str | None = None, guard: Guard | None = None
    ) -> None:
        """Takes no key or address from the environment.

        Raises `ProviderError` if the key is missing or fits no header, or the URL is malformed."""
        if not api_key or not api_key.isascii() or not api_key.isprintable():
            raise fault("upstream_error", "no usable API key is configured", retryable=False)
        self._key = api_key
        self._form = Form(Decoder, api_key)
        self._parameters = Parameters(REQUIRED)
        try:
            self._pool = self._open_pool(base_url or BASE_URL, guard)
        except ValueError as error:
            reason = f"unusable base URL: {error}"
            raise fault("upstream_error", reason, retryable=False) from None

    async def call(self, request: ModelRequest, sink: Sink, *, idle_timeout: float) -> None:
        """See `Provider.call`."""
        await retrying(partial(self._attempt, request, idle_timeout), sink)

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
        return Pool(base_url, PATH, headers, guard)

    async def _attempt(self, request: ModelRequest, idle_timeout: float, sink: Sink) -> None:
        whole, known = encode_request(request), self._parameters
        await answered(self._pool, whole, known, self._form, sink, idle_timeout)
