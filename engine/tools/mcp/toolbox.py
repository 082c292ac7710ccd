"""The toolbox of the MCP tools that an agent has."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import AsyncExitStack
from typing import Any, NamedTuple, TypeAlias

import msgspec

from engine.events import Status
from engine.request import ToolSpec
from engine.text import storable
from engine.tools.base import Policy, ToolContext, ToolOutcome, policy_of, unknown_tool
from engine.tools.mcp.base import ServerFailed, Tool
from engine.tools.mcp.form import Ask, Form
from engine.tools.mcp.names import Wanted, model_names
from engine.tools.mcp.pool import ServerPool
from engine.tools.mcp.results import plain_result
from engine.tools.mcp.server import Find, Server

log = logging.getLogger(__name__)

MAX_OFFERED = 128
"""Tools of one run; OpenAI takes no more."""
OPEN_TIMEOUT = 5.0
"""Seconds that a run waits for its servers before it goes on without them."""
PROGRESS_SECONDS = 0.5
"""The least time between two statuses of a call."""
MAX_STATUS = 200
"""Characters."""

AskFor: TypeAlias = Callable[[str, Form], Awaitable[str | None]]
"""Asks the user a form for a tool; None if they do not answer."""
EVERY = "*"
AWAY = "Some tools are not available now."
CHANGED = "Not carried out: this tool has changed on its server since the answer began."


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of an agent's tools: a tool of a server, or `*` for all that it has. `rules` are the
    fields of the entry that make its `Policy`."""

    server_id: str
    name: str
    rename: str | None = None
    rules: dict[str, Any] = {}


class Offer(NamedTuple):
    """A tool as the model has it; without a `server` it is away, for the reason given."""

    choice: Choice
    tool: Tool
    server: Server | None
    reason: str = ""

    @property
    def wanted(self) -> Wanted:
        """The name that it should have."""
        server = self.server.name if self.server else self.choice.server_id
        return Wanted(server, self.tool.name, self.choice.rename)


class McpTools:
    """The tools that `choices` name, without those whose name is one of `taken`.

    `find` gives the way to look up a server by its id. A server that is away does not end the run:
    `emit` gets a status, and a tool that was chosen by its name is there all the same, and says
    what is wrong. A choice by name goes before `*`, so that its rules count. `ask` asks the user
    what a server wants to know in the middle of a call of a tool."""

    def __init__(
        self,
        organization_id: str,
        choices: Sequence[Choice],
        find: Callable[[str], Find],
        pool: ServerPool,
        emit: Callable[[Status], None],
        taken: Collection[str] = (),
        ask: AskFor | None = None,
    ) -> None:
        self._organization_id, self._choices, self._find = organization_id, choices, find
        self._pool, self._emit, self._taken, self._ask = pool, emit, taken, ask
        self._stack = AsyncExitStack()
        self._offers: dict[str, Offer] = {}

    async def open(self) -> None:
        """See `Toolbox.open`."""
        ids = list(dict.fromkeys(choice.server_id for choice in self._choices))
        found = dict(zip(ids, await asyncio.gather(*map(self._reach, ids)), strict=True))
        if any(isinstance(what, ServerFailed) for what in found.values()):
            self._emit(Status(message=AWAY, stage="unavailable"))
        offers = [offer for choice in self._choices for offer in self._offers_of(choice, found)]
        wanted = [offer.wanted for offer in offers]
        for name, offer in zip(model_names(wanted, self._taken), offers, strict=True):
            if name is None or len(self._offers) >= MAX_OFFERED:
                log.warning("the tool %s was left out: no name, or too many", offer.tool.name)
            else:
                self._offers[name] = offer

    def specs(self) -> list[ToolSpec]:
        """See `Toolbox.specs`."""
        return [
            ToolSpec(
                name=name,
                description=offer.tool.description,
                input_schema=offer.tool.input_schema,
                repeatable=offer.tool.repeatable,
            )
            for name, offer in self._offers.items()
        ]

    def policy(self, name: str) -> Policy:
        """See `Toolbox.policy`. A tool that may change things asks unless its entry says
        otherwise."""
        offer = self._offers.get(name)
        if offer is None or offer.server is None:
            return Policy()
        asks = "always" if offer.tool.may_change_things else "never"
        return policy_of(offer.choice.rules, asks)

    async def call(
        self, id: str, name: str, args: dict[str, Any], context: ToolContext
    ) -> ToolOutcome:
        """See `Toolbox.call`."""
        offer = self._offers.get(name)
        if offer is None:
            return unknown_tool(name)
        if offer.server is None:
            return ToolOutcome(offer.reason, True)
        progress = Progress(name, context.emit)
        try:
            if offer.tool not in await offer.server.tools():
                return ToolOutcome(CHANGED, True)
            ask = self._asking(name, context)
            result = await offer.server.call(offer.tool.name, args, progress.note, ask)
        except ServerFailed as failed:
            return ToolOutcome(str(failed), True)
        return ToolOutcome(plain_result(result), bool(result.get("isError")))

    async def aclose(self) -> None:
        """See `Toolbox.aclose`."""
        await self._stack.aclose()

    def _asking(self, name: str, context: ToolContext) -> Ask | None:
        """Asks the user for a call of this tool, whose time stands still meanwhile."""
        ask, clock = self._ask, context.clock
        if ask is None or clock is None:
            return None

        async def timed(form: Form) -> str | None:
            with clock.stopped():
                return await ask(name, form)

        return timed

    async def _reach(self, server_id: str) -> tuple[Server, list[Tool]] | ServerFailed:
        """A server and its tools, or why it is away."""
        use = self._pool.use(self._organization_id, self._find(server_id))
        try:
            async with asyncio.timeout(OPEN_TIMEOUT):
                server = await self._stack.enter_async_context(use)
                return server, await server.tools()
        except TimeoutError:
            return ServerFailed("The server of this tool does not answer.")
        except ServerFailed as failed:
            log.warning("MCP server %s is away: %s", server_id, failed)
            return failed

    def _offers_of(
        self, choice: Choice, found: dict[str, tuple[Server, list[Tool]] | ServerFailed]
    ) -> list[Offer]:
        """The tools that an entry of the agent's names."""
        reached = found[choice.server_id]
        if isinstance(reached, ServerFailed):
            if choice.name == EVERY:
                return []
            reason = str(reached)
            stand_in = Tool(name=choice.name, description=reason, input_schema={"type": "object"})
            return [Offer(choice, stand_in, None, reason)]
        server, tools = reached
        if choice.name != EVERY:
            return [Offer(choice, tool, server) for tool in tools if tool.name == choice.name]
        named = {each.name for each in self._choices if each.server_id == choice.server_id}
        return [Offer(choice, tool, server) for tool in tools if tool.name not in named]


class Progress:
    """Shows the progress of a call as statuses, at most two a second."""

    def __init__(self, name: str, emit: Callable[[Status], None]) -> None:
        self._name, self._emit = name, emit
        self._said_at = -PROGRESS_SECONDS

    def note(self, progress: float, total: float | None, message: str | None) -> None:
        """The server has done `progress` of `total`."""
        now = time.monotonic()
        if now < self._said_at + PROGRESS_SECONDS:
            return
        self._said_at = now
        said = message or (f"{progress:g} of {total:g}" if total else f"{progress:g}")
        text = storable(f"{self._name}: {said}")[:MAX_STATUS]
        self._emit(Status(message=text, stage="tool"))
