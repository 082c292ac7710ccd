"""One connection to an MCP server, with the official SDK.

The SDK's client has to be left in the task that has entered it, so a task of its own holds it.
Calls come from any task.
"""

import asyncio
import contextvars
import logging
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from typing import Any

import httpx2
import mcp_types
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.client.subscriptions import SubscriptionLost
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from engine.http.guard import Guard
from engine.text import storable
from engine.tools.clock import Clock
from engine.tools.mcp.base import MAX_REASON, Command, Endpoint, NotBegun, ServerFailed, Tool
from engine.tools.mcp.exchange import MAX_MESSAGE, TRACE, Exchange, Trace
from engine.tools.mcp.form import Ask, Form, form_of
from engine.tools.mcp.tools import MAX_PAGES, usable

log = logging.getLogger(__name__)

CONNECT_TIMEOUT = 10.0
"""Seconds that a server may take until it has said what it is."""
CLOSE_TIMEOUT = 10.0
"""Seconds. A program has two to end by itself, and two after SIGTERM."""
MAX_CALL_SECONDS = 7 * 24 * 60 * 60.0
"""Of the SDK's own clock, which does not stop: longer than any call with ours."""
ASK: ContextVar[Ask | None] = ContextVar("ASK", default=None)
"""Asks the user of the call that the current task makes."""
INFO = mcp_types.Implementation(name="clawsite", version="1")

Progress = Callable[[float, float | None, str | None], None]
"""Gets how much is done, of how much, and a message."""


class Connection:
    """`on_change` is called whenever the server says that its tools have changed."""

    def __init__(
        self, endpoint: Endpoint, guard: Guard | None, on_change: Callable[[], None]
    ) -> None:
        self._endpoint, self._guard, self._on_change = endpoint, guard, on_change
        self._client: Client | None = None
        self._trace = Trace()  # of the requests that open it
        self._leave = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._users = 0
        self._asks: list[Ask] = []
        self.lost = False

    @property
    def protocol_version(self) -> str:
        """The version of the protocol that both sides speak."""
        return self._opened().protocol_version

    async def open(self) -> None:
        """Connect. Raises `ServerFailed`."""
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._hold(ready), context=contextvars.Context())
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                await ready
        except TimeoutError:
            await self.aclose()
            raise self._failed(f"did not answer within {CONNECT_TIMEOUT:g} seconds") from None
        except BaseException:
            await self.aclose()
            raise

    async def tools(self) -> list[Tool]:
        """The server's tools, those that can be used. Raises `ServerFailed`."""
        found: list[mcp_types.Tool] = []
        cursor: str | None = None
        async with self._asking() as client:
            for _ in range(MAX_PAGES):
                page = await client.list_tools(cursor=cursor)
                found += page.tools
                if (cursor := page.next_cursor) is None:
                    break
        return usable([_plain(tool) for tool in found])

    async def call(
        self, name: str, args: dict[str, Any], on_progress: Progress, ask: Ask | None = None
    ) -> dict[str, Any]:
        """Call a tool; the result as the protocol has it. `ask` asks the user what the server wants
        to know meanwhile; that time does not count. Raises `ServerFailed`, `NotBegun`.

        A cancel tells the server to stop."""
        clock = Clock(self._endpoint.timeout)

        async def timed(form: Form) -> str | None:
            with clock.stopped():
                return await ask(form) if ask else None

        async def note(
            progress: float, total: float | None = None, message: str | None = None
        ) -> None:
            on_progress(progress, total, message)

        token = ASK.set(timed)
        self._asks.append(timed)
        try:
            async with self._asking() as client, clock:
                result = await client.call_tool(
                    name, args, read_timeout_seconds=MAX_CALL_SECONDS, progress_callback=note
                )
        except TimeoutError:
            raise self._failed("did not answer in time") from None
        finally:
            self._asks.remove(timed)
            ASK.reset(token)
        return _plain(result)

    async def retire(self) -> None:
        """Close it when the last call that uses it has ended."""
        self.lost = True
        if not self._users:
            await self.aclose()

    async def aclose(self) -> None:
        """Close it, which ends the program of the server."""
        self.lost = True
        self._leave.set()
        if self._task is None:
            return
        # Cancelling would leave the program alive: the SDK ends it in steps, each bounded.
        await asyncio.wait([self._task], timeout=CLOSE_TIMEOUT)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _hold(self, ready: asyncio.Future[None]) -> None:
        """Own the client from its beginning to its end."""
        TRACE.set(self._trace)
        try:
            async with Client(
                self._streams(),
                cache=None,  # `Server` keeps the tools
                client_info=INFO,
                read_timeout_seconds=CONNECT_TIMEOUT,  # of all but calls
                message_handler=self._hear,
                elicitation_callback=self._elicit,
            ) as client:
                # A pattern in a schema of the server may take for ever to match.
                client.session.validate_tool_result = _unchecked  # type: ignore[method-assign]
                self._client = client
                if not ready.done():
                    ready.set_result(None)
                listening = asyncio.create_task(self._listen(client))
                await self._leave.wait()
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
        except Exception as error:  # of any kind, or a group, from the SDK's tasks
            log.debug("the connection to an MCP server ended", exc_info=error)
            if not ready.done():
                ready.set_exception(self._failed(self._why(error, self._trace)))
        finally:
            self.lost = True
            ready.cancel()

    async def _listen(self, client: Client) -> None:
        """Hear of changes of the tools. A server of the older protocol says so unasked."""
        tools = client.server_capabilities.tools
        if client.protocol_version not in MODERN_PROTOCOL_VERSIONS or not (
            tools and tools.list_changed
        ):
            return
        try:
            async with client.listen(tools_list_changed=True) as changes:
                async for _ in changes:
                    self._on_change()
        except (MCPError, SubscriptionLost, TimeoutError):
            log.debug("an MCP server does not say when its tools change", exc_info=True)

    @asynccontextmanager
    async def _streams(self) -> AsyncIterator[tuple[Any, Any]]:
        """The messages of the server, and those for it."""
        at = self._endpoint.at
        async with AsyncExitStack() as stack:
            if isinstance(at, Command):
                server = StdioServerParameters(
                    command=at.command, args=list(at.args), env=dict(at.env), cwd=at.cwd
                )
                transport = stdio_client(server, errlog=sys.stderr)
            else:
                http = httpx2.AsyncClient(
                    transport=Exchange(at, self._guard), headers=dict(self._endpoint.headers)
                )
                await stack.enter_async_context(http)
                transport = streamable_http_client(
                    at, http_client=http, max_sse_event_size=MAX_MESSAGE
                )
            read, write = await stack.enter_async_context(transport)
            yield Incoming(read, self._note_end), write

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[Client]:
        """The client, for one request; errors become `ServerFailed`."""
        client, trace = self._opened(), Trace()
        token = TRACE.set(trace)
        self._users += 1
        try:
            yield client
        except MCPError as error:
            raise self._refusal(error, trace) from None
        except (ValidationError, ValueError, RuntimeError) as error:
            log.debug("an MCP server breaks the protocol", exc_info=error)
            raise self._failed("gave an answer that is not of the protocol") from None
        finally:
            TRACE.reset(token)
            self._users -= 1
            if self.lost and not self._users:
                self._leave.set()

    def _opened(self) -> Client:
        """The client. Raises `NotBegun` once the connection has ended."""
        if self._client is None or self.lost:
            raise NotBegun(f"The connection to the server “{self._endpoint.name}” has ended.")
        return self._client

    def _refusal(self, error: MCPError, trace: Trace) -> ServerFailed:
        """The meaning of an error of the protocol. A server that refuses a request at its door has
        not begun with it; where nobody knows, the message says so."""
        if error.code == mcp_types.REQUEST_TIMEOUT:
            return self._failed("did not answer in time")
        refused = self._failed(self._why(error, trace))
        lost_session = trace.status == 400 and "session" in str(error).lower()
        if trace.status in (401, 404) or lost_session or (trace.problem and not trace.sent):
            return NotBegun(str(refused))
        if trace.problem or error.code == mcp_types.CONNECTION_CLOSED:
            return ServerFailed(f"{refused} The tool may have run.")
        return refused

    def _why(self, error: Exception, trace: Trace) -> str:
        if trace.problem:
            return f"failed: {trace.problem}"
        if trace.status in (401, 403):
            return f"refused our credentials ({trace.status})"
        if trace.status >= 300:
            return f"answered with the status {trace.status}"
        if isinstance(error, MCPError):
            return f"failed: {storable(error.message)[:MAX_REASON]}"
        return "cannot be reached"

    def _failed(self, what: str) -> ServerFailed:
        return ServerFailed(f"The server “{self._endpoint.name}” {what}.")

    def _note_end(self) -> None:
        self.lost = True

    async def _elicit(self, context: Any, params: Any) -> mcp_types.ElicitResult:
        """Ask the user of the call that the server serves. The SDK passes the context of a call on,
        but for programs: there it is the only call, or nobody is asked."""
        ask = ASK.get() or (self._asks[0] if len(self._asks) == 1 else None)
        form = None
        if isinstance(params, mcp_types.ElicitRequestFormParams):
            form = form_of(params.message, _plain(params)["requestedSchema"])
        if ask is None or form is None:
            return mcp_types.ElicitResult(action="cancel")
        answer = await ask(form)
        if answer is None:
            return mcp_types.ElicitResult(action="decline")
        return mcp_types.ElicitResult(action="accept", content=form.content(answer))

    async def _hear(self, message: Any) -> None:
        if isinstance(message, mcp_types.ToolListChangedNotification):
            self._on_change()


class Incoming:
    """The messages of a server; `on_end` is called when there will be no more."""

    def __init__(self, stream: Any, on_end: Callable[[], None]) -> None:
        self._stream, self._on_end = stream, on_end

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __aiter__(self) -> "Incoming":
        return self

    async def __anext__(self) -> Any:
        try:
            return await anext(self._stream)
        except BaseException:
            self._on_end()
            raise

    async def __aenter__(self) -> "Incoming":
        await self._stream.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        self._on_end()
        await self._stream.__aexit__(*error)


async def _unchecked(name: str, result: Any) -> None:
    """In place of `ClientSession.validate_tool_result`."""


def _plain(model: Any) -> dict[str, Any]:
    found: dict[str, Any] = model.model_dump(by_alias=True, mode="json", exclude_none=True)
    return found
