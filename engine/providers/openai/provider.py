"""The provider of servers that speak Chat Completions: OpenAI, Google, Ollama, vLLM and others.

Without the SDK (docs/decisions/0005): what it would add are two headers.
"""

from functools import partial
from urllib.parse import urlsplit

from engine.http.guard import Guard
from engine.http.pool import Pool
from engine.providers.base import Sink
from engine.providers.openai.decode import Decoder
from engine.providers.openai.wire import encode_request
from engine.providers.server.call import Form, answered
from engine.providers.server.refusals.faults import fault
from engine.providers.server.refusals.parameters import Parameters
from engine.providers.server.retry import retrying
from engine.request import ModelRequest
from engine.usage import price_list_of

BASE_URL = "https://api.openai.com/v1"
NO_KEY = "none"
"""Sent to a server that wants no key: most clients send the header always, so servers expect it."""

OLD_LIMIT, NEW_LIMIT = "max_tokens", "max_completion_tokens"
NEW_LIMIT_HOSTS = (".openai.com", ".openai.azure.com")
"""Servers whose newer models refuse `max_tokens`. Most other servers know no other name."""

OTHER_NAMES = {OLD_LIMIT: NEW_LIMIT, NEW_LIMIT: OLD_LIMIT}
REQUIRED = frozenset(
    {"model", "messages", "stream", "tools", "tool_choice", "functions", "response_format"}
)


class OpenAIProvider:
    """One account at one server."""

    name = "openai"

    def __init__(
        self, *, api_key: str | None, base_url: str | None = None, guard: Guard | None = None
    ) -> None:
        """`base_url` ends where `/chat/completions` begins. Only a server that was named may do
        without a key. Nothing comes from the environment.

        Raises `ProviderError` if the key is missing or fits no header, or the URL is malformed."""
        self._form = Form(Decoder, api_key or "")
        self._parameters = Parameters(REQUIRED, OTHER_NAMES)
        key = api_key or (NO_KEY if base_url else "")
        if not key or not key.isascii() or not key.isprintable():
            raise fault("upstream_error", "no usable API key is configured", retryable=False)
        base_url = base_url or BASE_URL
        headers = {
            "authorization": f"Bearer {key}",
            "content-type": "application/json",
            "accept": "text/event-stream",
            "accept-encoding": "identity",  # a compressed token would be late
            "user-agent": "clawsite",
        }
        try:
            self._pool = Pool(base_url, "/chat/completions", headers, guard)
        except ValueError as error:
            reason = f"unusable base URL: {error}"
            raise fault("upstream_error", reason, retryable=False) from None
        self.price_list = price_list_of(self.name, base_url)
        host = f".{urlsplit(base_url).hostname}"
        self._limit_field = NEW_LIMIT if host.endswith(NEW_LIMIT_HOSTS) else OLD_LIMIT

    async def call(self, request: ModelRequest, sink: Sink, *, idle_timeout: float) -> None:
        """See `Provider.call`."""
        await retrying(partial(self._attempt, request, idle_timeout), sink)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._pool.aclose()

    async def _attempt(self, request: ModelRequest, idle_timeout: float, sink: Sink) -> None:
        whole, known = encode_request(request, self._limit_field), self._parameters
        await answered(self._pool, whole, known, self._form, sink, idle_timeout)
