"""A run's tools, as the agent loop uses them."""

from typing import Any, NamedTuple, Protocol


class ToolOutcome(NamedTuple):
    """`result` is any JSON value; an error is a result too, and the model gets to see it."""

    result: Any
    is_error: bool


class Toolbox(Protocol):
    """The tools one run may use."""

    async def call(self, name: str, args: dict[str, Any]) -> ToolOutcome:
        """Run one tool. A failure of the tool is an outcome with `is_error`, not an exception."""
        ...


class NoTools:
    """The toolbox of an agent without tools; a model that asks for one is told so."""

    async def call(self, name: str, args: dict[str, Any]) -> ToolOutcome:
        return ToolOutcome(f"There is no tool named {name!r}.", True)
