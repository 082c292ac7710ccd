"""`engine.tools.builtin.base`: from a model's arguments to the tool's, and back."""

import asyncio
from typing import Annotated

import msgspec
import pytest

from engine.tools.base import ToolContext
from engine.tools.builtin.base import Builtin, BuiltinTools, ToolFailed
from tests.engine.tools.contract import CONTEXT, call


class Arguments(msgspec.Struct):
    text: Annotated[str, msgspec.Meta(description="What to say.")]
    times: Annotated[int, msgspec.Meta(ge=1)] = 1


async def run(arguments: Arguments, context: ToolContext) -> str:
    if arguments.text == "wait":
        await asyncio.Event().wait()
    if not arguments.text:
        raise ToolFailed("There is nothing to say.")
    return arguments.text * arguments.times


TOOLS = BuiltinTools({"echo": Builtin("Repeats a text.", Arguments, run)})


async def test_it_works() -> None:
    assert await call(TOOLS, "echo", text="a", times=3) == ("aaa", False)


def test_the_schema_is_that_of_the_arguments() -> None:
    (spec,) = TOOLS.specs()
    assert (spec.name, spec.description) == ("echo", "Repeats a text.")
    assert spec.input_schema["required"] == ["text"]
    assert spec.input_schema["properties"]["text"]["description"] == "What to say."


async def test_null_is_absent_and_what_is_unknown_is_ignored() -> None:
    assert await call(TOOLS, "echo", text="a", times=None, other=1) == ("a", False)


@pytest.mark.parametrize("args", [{}, {"text": 1}, {"text": None}, {"text": "a", "times": 0}])
async def test_wrong_arguments_are_named(args: dict[str, object]) -> None:
    result, is_error = await call(TOOLS, "echo", **args)
    assert is_error and result.startswith("Wrong arguments: ")
    assert "text" in result or "times" in result


async def test_a_failure_says_why() -> None:
    assert await call(TOOLS, "echo", text="") == ("There is nothing to say.", True)


async def test_cancelling_ends_the_call() -> None:
    task = asyncio.create_task(TOOLS.call("a", "echo", {"text": "wait"}, CONTEXT))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
