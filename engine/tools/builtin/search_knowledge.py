"""The tool `search_knowledge`: passages of the agent's documents."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeAlias

import msgspec

from engine.events import Event, Source, Sources, Status
from engine.tools.base import ToolContext
from engine.tools.builtin.base import Builtin

Find: TypeAlias = Callable[[str], Awaitable[list[Source]]]
"""Finds the passages that a question is about, the best first."""


class Arguments(msgspec.Struct):
    """The arguments of a call."""

    query: Annotated[
        str,
        msgspec.Meta(description="What to look for, in the words that a document may have."),
    ]


async def search(find: Find, query: str, emit: Callable[[Event], None]) -> list[Source]:
    """Find passages, and say so to those who watch: what is being done, how many there are, and
    which."""
    emit(Status(message="Searching knowledge base...", stage="searching"))
    found = await find(query)
    emit(Status(message=f"Found {len(found)} relevant sources", stage="found"))
    emit(Sources(sources=found))
    return found


def tool(find: Find) -> Builtin:
    """The tool of an agent whose documents `find` searches."""

    async def run(arguments: Arguments, context: ToolContext) -> dict[str, Any]:
        """`{sources: [{title, page?, url?, text}]}`, the best first."""
        found = await search(find, arguments.query, context.emit)
        return {"sources": [_shown(source) for source in found]}

    return Builtin(
        "Searches the documents of this agent. Use it for whatever they may say better than you"
        " know it, and again with other words if the first passages do not answer the question.",
        Arguments,
        run,
        repeatable=True,
    )


async def _nothing(query: str) -> list[Source]:
    return []


TOOL = tool(_nothing)
"""The tool of an agent without documents."""


def _shown(source: Source) -> dict[str, Any]:
    shown = {"title": source.title, "page": source.page, "url": source.url, "text": source.excerpt}
    return {name: value for name, value in shown.items() if value is not None}
