"""The interface of a built-in tool, and the toolbox of an agent's built-in tools."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from engine.request import ToolSpec
from engine.tools.base import Policy, ToolContext, ToolOutcome, unknown_tool


class ToolFailed(Exception):
    """A tool cannot do what it was asked; the model gets the message as the result."""


class Builtin(NamedTuple):
    """A tool: `run` gets an instance of the struct `arguments` and returns any JSON value.

    `description` tells the model what the tool does and when to use it. The fields of `arguments`
    have descriptions for the model too. `run` raises `ToolFailed` with a message for the model.
    A `repeatable` tool only reads, or does the same when it is called again: a call that a crash
    has cut is made again."""

    description: str
    arguments: type[msgspec.Struct]
    run: Callable[[Any, ToolContext], Awaitable[Any]]
    repeatable: bool = False

    def spec(self, name: str) -> ToolSpec:
        """The tool as the model sees it."""
        return ToolSpec(
            name=name,
            description=self.description,
            input_schema=schema_of(self.arguments),
            repeatable=self.repeatable,
        )


def schema_of(arguments: type[msgspec.Struct]) -> dict[str, Any]:
    """The JSON Schema of a tool's arguments."""
    _, components = msgspec.json.schema_components([arguments])
    schema: dict[str, Any] = components[arguments.__name__]
    return schema


class BuiltinTools:
    """Built-in tools by the names that the model uses. One without a policy needs no approval."""

    def __init__(
        self, tools: Mapping[str, Builtin], policies: Mapping[str, Policy] | None = None
    ) -> None:
        self._tools, self._policies = tools, policies or {}

    async def open(self) -> None:
        """Opens nothing."""

    def specs(self) -> list[ToolSpec]:
        """See `Toolbox.specs`."""
        return [tool.spec(name) for name, tool in self._tools.items()]

    def policy(self, name: str) -> Policy:
        """See `Toolbox.policy`."""
        return self._policies.get(name, Policy())

    async def call(
        self, id: str, name: str, args: dict[str, Any], context: ToolContext
    ) -> ToolOutcome:
        """See `Toolbox.call`. An argument that is null counts as absent, and an unknown one is
        ignored: models send both."""
        tool = self._tools.get(name)
        if tool is None:
            return unknown_tool(name)
        given = {field: value for field, value in args.items() if value is not None}
        try:
            arguments = msgspec.convert(given, tool.arguments)
            return ToolOutcome(await tool.run(arguments, context), False)
        except msgspec.ValidationError as wrong:
            return ToolOutcome(f"Wrong arguments: {wrong}", True)
        except ToolFailed as failed:
            return ToolOutcome(str(failed), True)

    async def aclose(self) -> None:
        """Closes nothing."""
