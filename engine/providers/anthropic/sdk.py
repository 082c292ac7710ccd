"""The provider of Claude, over the SDK of Anthropic (docs/decisions/0014).

Requests, answers, retries and errors are those of `anthropic`; the SDK puts its headers on a
request and sends it. An import of this file costs a second.
"""

import asyncio
from contextlib import aclosing
from urllib.parse import urlsplit

import anthropic
import httpx2
import msgspec

from engine.http.connection import END_OF_BODY_WAIT, Idle, Receiver
from engine.http.guard import AddressRefused, Guard
from engine.http.http1 import Broken
from engine.http.httpx import HEAD, LOST, Transport
from engine.http.pool import base_path
from engine.providers.anthropic.provider import PATH, AnthropicProvider
from engine.providers.server.call import Poster
from engine.providers.server.refusals.faults import without


class AnthropicSdkProvider(AnthropicProvider):
    """One account at one Messages API server, over the SDK."""

    def _open_pool(self, base_url: str, guard: Guard | None) -> Poster:
        return SdkPool(self._key, base_url, guard)


class SdkPool:
    """A client of the SDK in the place of a `pool.Pool`.

    Of the environment only `ANTHROPIC_CUSTOM_HEADERS` counts, and only for an address that the
    operator chose: what opens the operator's gateway is no business of a tenant's server."""

    def __init__(self, key: str, base_url: str, guard: Guard | None) -> None:
        """Raises `ValueError` if `base_url` is not the address of a web server."""
        self._key = key
        transport = Transport(base_url, guard)
        url = urlsplit(base_url)
        host, path = url.netloc.rpartition("@")[2], base_path(url.path, PATH)
        try:
            self._client = anthropic.AsyncAnthropic(
                api_key=key,
                base_url=f"{url.scheme}://{host}{path}",
                max_retries=0,
                timeout=None,
                open_telemetry=False,
                http_client=httpx2.AsyncClient(transport=transport, trust_env=False),
            )
        except httpx2.InvalidURL as error:
            raise ValueError(str(error)) from None
        if guard is not None:
            self._client._custom_headers = {}  # private, but there is no other way; a test pins it
        # The last word, whatever the custom headers are.
        self._headers: dict[str, str | anthropic.Omit] = {
            "authorization": f"Bearer {key}",
            "x-api-key": anthropic.omit,
            "x-stainless-timeout": anthropic.omit,  # it is ours to keep
            "accept": "text/event-stream",
            "accept-encoding": "identity",  # a compressed token would be late
        }

    async def post(self, body: bytes, receiver: Receiver, idle_timeout: float) -> None:
        """See `Pool.post`; connecting and the first progress take `idle_timeout` together."""
        try:
            async with asyncio.timeout(idle_timeout) as limit:
                await self._exchange(body, receiver, idle_timeout, limit)
        except TimeoutError:
            if not limit.expired():
                raise  # the receiver's
            if not receiver.complete:
                raise Idle(f"no progress for {idle_timeout} s") from None
        except anthropic.APIStatusError as error:
            receiver.head(error.status_code, error.response.extensions[HEAD])
            receiver.body(error.response.content)
        except anthropic.APIConnectionError as error:
            if isinstance(error.__cause__, AddressRefused):
                raise error.__cause__ from None
            raise self._broken("no connection", error.__cause__) from error
        except LOST as error:
            if not receiver.complete:
                raise self._broken("lost", error) from error

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.close()

    def _broken(self, what: str, cause: BaseException | None) -> Broken:
        """The error without our key: h11 quotes what a server sent, which may be what we sent."""
        return Broken(without(self._key, f"{what}: {cause!r}"))

    async def _exchange(
        self, body: bytes, receiver: Receiver, idle_timeout: float, limit: asyncio.Timeout
    ) -> None:
        """A cancel at any of these waits closes the connection."""
        time = asyncio.get_running_loop().time
        said = msgspec.json.decode(body)  # the SDK takes no bytes
        async with (
            self._client.messages.with_streaming_response.create(
                model=said["model"],
                max_tokens=said["max_tokens"],
                messages=said["messages"],
                stream=True,
                extra_body=said,
                extra_headers=self._headers,
            ) as response,
            aclosing(response.http_response.aiter_raw()) as answer,
        ):
            receiver.head(response.status_code, response.http_response.extensions[HEAD])
            async for data in answer:
                if receiver.body(data):
                    wait = END_OF_BODY_WAIT if receiver.complete else idle_timeout
                    limit.reschedule(time() + wait)
