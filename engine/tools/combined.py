"""Several toolboxes as one."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

from engine.request import ToolSpec
from engine.tools.base import Policy, Toolbox, ToolContext, ToolOutcome, Waiting, unknown_tool


class Combined:
    """The tools of all `parts`, by their names. Where two parts have one name, the first has it."""

    def __init__(self, parts: Sequence[Toolbox]) -> None:
        self._parts = parts
        self._opened = AsyncExitStack()
        self._of: dict[str, Toolbox] = {}
        self._specs: list[ToolSpec] = []

    async def open(self) -> None:
        """See `Toolbox.open`. Where one part cannot be opened, none is left open."""
        async with AsyncExitStack() as stack:
            for part in self._parts:
                stack.push_async_callback(part.aclose)
                await part.open()
            self._opened = stack.pop_all()
        for part in self._parts:
            for spec in part.specs():
                if spec.name not in self._of:
                    self._of[spec.name] = part
                    self._specs.append(spec)

    def specs(self) -> list[ToolSpec]:
        """See `Toolbox.specs`."""
        return self._specs

    def policy(self, name: str) -> Policy:
        """See `Toolbox.policy`."""
        part = self._of.get(name)
        return part.policy(name) if part else Policy()

    async def call(
        self, id: str, name: str, args: dict[str, Any], context: ToolContext
    ) -> ToolOutcome | Waiting:
        """See `Toolbox.call`."""
        part = self._of.get(name)
        return await part.call(id, name, args, context) if part else unknown_tool(name)

    async def aclose(self) -> None:
        """See `Toolbox.aclose`."""
        await self._opened.aclose()
