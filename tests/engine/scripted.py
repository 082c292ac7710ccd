"""A provider that plays scripts, a small real toolbox, and one attempt at a run over them."""

import ast
import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from engine import events as ev
from engine.limits.purse import Purse
from engine.providers.base import Counted, Delta, Finished, Sink, TextDelta, ToolRequest
from engine.request import Limits, ModelRequest, ToolSpec, Turn
from engine.run import AgentLoop
from engine.tools.base import NoTools, Toolbox, ToolContext, ToolOutcome, Waiting, unknown_tool
from engine.transcript import Transcript, fold
from engine.usage import TokenCounts

REQUEST = ModelRequest(
    model="claude-sonnet-5-5",
    instructions="Be brief.",
    turns=[Turn(role="user", content="What is 2+3?")],
)
HELLO: list[list[Delta]] = [
    [Counted(TokenCounts(input_tokens=9))],
    [TextDelta(["Hel"]), TextDelta(["lo"])],
    [Counted(TokenCounts(input_tokens=9, output_tokens=2)), Finished("end_turn", [])],
]
FOREVER = asyncio.Event  # a step of a script that never ends


class Scripted:
    """A provider: each call plays the next script; an exception in it is raised, an event awaited.

    It keeps what it was asked, and counts the calls that are open."""

    name = price_list = "anthropic"

    def __init__(self, *scripts: list[Any]) -> None:
        self.scripts = list(scripts)
        self.requests: list[ModelRequest] = []
        self.open = 0
        self.asked = asyncio.Event()

    async def call(self, request: ModelRequest, sink: Sink, *, idle_timeout: float) -> None:
        self.requests.append(request)
        self.open += 1
        self.asked.set()
        try:
            for step in self.scripts.pop(0):
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, asyncio.Event):
                    await step.wait()
                else:
                    sink(step)
        finally:
            self.open -= 1

    async def aclose(self) -> None:
        """Nothing is open."""


class Calculator(NoTools):
    """A toolbox with one tool."""

    def specs(self) -> list[ToolSpec]:
        schema = {"type": "object", "properties": {"numbers": {"type": "array"}}}
        return [ToolSpec(name="add", description="Adds numbers.", input_schema=schema)]

    async def call(
        self, id: str, name: str, args: dict[str, Any], context: ToolContext
    ) -> ToolOutcome | Waiting:
        if name != "add":
            return unknown_tool(name)
        try:
            return ToolOutcome({"sum": sum(ast.literal_eval(str(args["numbers"])))}, False)
        except (KeyError, TypeError) as problem:
            return ToolOutcome(f"cannot add: {problem}", True)


def calls(*uses: ToolRequest, text: str = "", stop: str = "tool_use") -> list[list[Delta]]:
    """A script that asks for tools."""
    blocks: list[dict[str, Any]] = [
        {"type": "tool_use", "id": use.id, "name": use.name, "input": use.args} for use in uses
    ]
    counts = TokenCounts(input_tokens=10, output_tokens=5)
    said: list[Delta] = [TextDelta([text])] if text else []
    return [[*said, *uses, Counted(counts), Finished(stop, blocks)]]


def waiting(id: str) -> Waiting:
    """The outcome of a call that somebody must approve."""
    pending = ev.Pending(kind="approval", id=id)
    return Waiting(pending=pending, expires_at=datetime(2100, 1, 1, tzinfo=UTC))


def add(*numbers: object, id: str = "toolu_1") -> ToolRequest:
    return ToolRequest(id, "add", {"numbers": list(numbers)})


class Attempt:
    """One attempt at a run: the loop, and all that it emits, folded and in `seen`."""

    def __init__(
        self,
        provider: Scripted,
        tools: Toolbox | None = None,
        *,
        transcript: Transcript | None = None,
        purse: Purse | None = None,
        **limits: Any,
    ) -> None:
        self.transcript = Transcript() if transcript is None else transcript
        self.seen: list[ev.Event] = []
        self.batches: list[list[ev.NewEvent]] = []
        self.waiting: list[Waiting] = []
        tools, bounds = tools or NoTools(), Limits(**limits)
        first = msgspec.structs.replace(REQUEST, tools=tools.specs())
        self.loop = AgentLoop(first, self.transcript, provider, tools, bounds, purse)
        self.cut_usage = self.loop.cut_usage

    def emit(self, events: list[ev.NewEvent]) -> None:
        self.batches.append(events)
        for event in events:
            fold(self.transcript, event)
        self.seen += one_by_one(events)

    async def run(self) -> list[ev.Event]:
        """Every event, tokens one by one."""
        self.waiting = await self.loop.run(self.emit, nothing, nothing)
        return self.seen


def one_by_one(events: list[ev.NewEvent]) -> Iterator[ev.Event]:
    """As they come out of a log."""
    for event in events:
        if isinstance(event, ev.Tokens):
            for index, content in enumerate(event.contents, event.index):
                yield ev.Token(content=content, index=index)
        else:
            yield event


async def nothing() -> None:
    """What is awaited after a step where that does not matter."""


def of(kind: type[ev.Event], events: list[ev.Event]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]
