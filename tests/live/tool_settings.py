"""The settings of the product, and tools that never end by themselves or count their calls."""

import asyncio
import os
from pathlib import Path

import msgspec

from clawsite.settings import *  # noqa: F403
from engine.tools.base import ToolContext
from engine.tools.builtin.base import Builtin
from engine.tools.registry import BUILTINS


class Arguments(msgspec.Struct):
    """No arguments."""


async def run(arguments: Arguments, context: ToolContext) -> None:
    await asyncio.Event().wait()


class Counted(msgspec.Struct):
    """`hang`: it does not end."""

    hang: bool = False


def note_call() -> int:
    """Add a line to the file of all calls; the number of them."""
    file = Path(os.environ["TEST_CALLS"])
    with file.open("a") as lines:
        lines.write("called\n")
    return len(file.read_text().splitlines())


async def count(arguments: Counted, context: ToolContext) -> int:
    """The number of calls that there have been."""
    calls = note_call()
    if arguments.hang:
        await asyncio.Event().wait()
    return calls


BUILTINS["slow"] = Builtin("Takes for ever.", Arguments, run)
BUILTINS["count"] = Builtin("Counts its calls.", Counted, count)
