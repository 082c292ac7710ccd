"""The tools `memory_save`, `memory_search` and `memory_forget` of one owner."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from core.database import database_step
from engine.events import MemoryOp
from engine.text import clean
from engine.tools.base import ToolContext
from engine.tools.builtin.base import Builtin, ToolFailed
from memories import access
from memories.access import NoRoom, Owner
from memories.models import Memory

MEMORY_TOOLS = SAVE, SEARCH, FORGET = "memory_save", "memory_search", "memory_forget"

MAX_CONTENT = 4000
"""Characters of one memory."""


class Save(msgspec.Struct):
    """The arguments of `memory_save`."""

    key: Annotated[str, Meta(description="A short name, such as favourite_colour.", max_length=100)]
    content: Annotated[str, Meta(description="What to remember.", max_length=MAX_CONTENT)]


class Search(msgspec.Struct):
    """The arguments of `memory_search`."""

    query: Annotated[
        str, Meta(description="Some words. Without words the newest are found.", max_length=1000)
    ] = ""


class Forget(msgspec.Struct):
    """The arguments of `memory_forget`."""

    id: Annotated[str | None, Meta(description="The id that a search has shown.")] = None
    key: Annotated[str | None, Meta(description="Or the key.")] = None


def memory_tools(owner: Owner) -> dict[str, Builtin]:
    """The tools by their names. The owner comes from the run, never from a model's arguments."""

    async def save(arguments: Save, context: ToolContext) -> dict[str, Any]:
        key, content = clean(arguments.key).strip(), clean(arguments.content)
        if not key or not content.strip():
            raise ToolFailed("Give a key and a content.")
        try:
            memory = await database_step(access.save, owner, key, content)
        except NoRoom as full:
            raise ToolFailed(str(full)) from None
        context.emit(MemoryOp(op="save", key=key))
        return {"saved": _shown(memory)}

    async def search(arguments: Search, context: ToolContext) -> dict[str, Any]:
        found = await database_step(access.search, owner, arguments.query)
        context.emit(MemoryOp(op="search", key=None))
        return {"memories": [_shown(memory) for memory in found]}

    async def forget(arguments: Forget, context: ToolContext) -> dict[str, Any]:
        if (arguments.id is None) == (arguments.key is None):
            raise ToolFailed("Give either the id or the key.")
        id, key = clean(arguments.id), clean(arguments.key)
        memory = await database_step(access.forget, owner, id=id, key=key)
        if memory is None:
            raise ToolFailed("There is no such memory. Nothing was forgotten.")
        context.emit(MemoryOp(op="forget", key=memory.key))
        return {"forgotten": _shown(memory)}

    return {
        SAVE: Builtin(
            "Remembers something about this person for later conversations. The same key replaces"
            " what was remembered under it, so use it also to correct a memory.",
            Save,
            save,
            repeatable=True,
        ),
        SEARCH: Builtin(
            "Finds what was remembered about this person. Use it when an earlier conversation may"
            " matter.",
            Search,
            search,
            repeatable=True,
        ),
        FORGET: Builtin(
            "Deletes what was remembered about this person under an id or a key. Use it when they"
            " ask for it.",
            Forget,
            forget,
        ),
    }


def _shown(memory: Memory) -> dict[str, str]:
    return {"id": memory.id, "key": memory.key, "content": memory.content}
