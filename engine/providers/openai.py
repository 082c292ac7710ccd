"""Every server that speaks Chat Completions: OpenAI, Google, Ollama, vLLM, llama.cpp and others.

Without the SDK (docs/decisions/0005): what it would add are two headers.
"""

from functools import partial
from urllib.parse import urlsplit

import msgspec

from engine.net import Guard
from engine.providers.base import Sink
from engine.providers.faults import fault
from engine.providers.openai_decode import Decoder
from engine.providers.openai_wire import encode_request
from engine.providers.pool import Pool
from engine.providers.reading import Refusal, read_answer
from engine.providers.retry import retrying
from engine.request import ModelRequest
from engine.usage import price_list_of

BASE_URL = "https://api.openai.com/v1"
NO_KEY = "none"
"""Sent where a server wants no key: many clients send one always, so servers expect the header."""

OLD_LIMIT, NEW_LIMIT = "max_tokens", "max_completion_tokens"
NEW_LIMIT_HOSTS = (".openai.com", ".openai.azure.com")
"""Whose newer models refuse `max_tokens`. Most other servers know nothing else."""

UNKNOWN = ("unsupported", "not supported", "unrecognized", "unknown", "extra", "not permitted")
"""What servers say of a parameter that they do not know."""

WRONG_PARAMETER = frozenset({400, 422})  # statuses of a refused parameter


class OpenAIProvider:
    """One account at one server."""

    name = "openai"

    def __init__(
        self, *, api_key: str | None, base_url: str | None = None, guard: Guard | None = None
    ) -> None:
        """`base_url` ends where `/chat/completions` begins. Only a server that was named may do
        without a key. Nothing comes from the environment.

        Raises `ProviderError` for no key, or one that no header can hold, or a malformed URL."""
        self._secret = api_key or ""
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
        """A server that refuses the name of the limit is asked once more by its other name, which
        is remembered until it refuses that one."""
        for last in (False, True):
            field = self._limit_field
            body = msgspec.json.encode(encode_request(request, field))
            decoder = partial(Decoder, self._secret)
            refusal = await read_answer(self._pool, body, decoder, sink, idle_timeout)
            if refusal is None:
                return
            if wrong_name := _is_about_the_name(field, refusal):
                self._limit_field = OLD_LIMIT if field == NEW_LIMIT else NEW_LIMIT
            if last or not wrong_name:
                raise refusal.error(self._secret)


def _is_about_the_name(field: str, refusal: Refusal) -> bool:
    """Whether `field` is refused, and not its value: then the new name is told, or said to be
    unknown."""
    words = refusal.body.decode(errors="replace").lower()
    if refusal.status not in WRONG_PARAMETER or NEW_LIMIT not in words:
        return False
    return field == OLD_LIMIT or any(word in words for word in UNKNOWN)
