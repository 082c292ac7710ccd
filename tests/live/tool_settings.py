"""The settings of the product, and a tool that never ends by itself."""

import asyncio

import msgspec

from clawsite.settings import *  # noqa: F403
from engine.tools.base import ToolContext
from engine.tools.builtin.base import Builtin
from engine.tools.registry import BUILTINS


class Arguments(msgspec.Struct):
    """No arguments."""


async def run(arguments: Arguments, context: ToolContext) -> None:
    await asyncio.Event().wait()


BUILTINS["slow"] = Builtin("Takes for ever.", Arguments, run)
