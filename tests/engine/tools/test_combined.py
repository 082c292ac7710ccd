"""`engine.tools.combined`: several toolboxes as one."""

from typing import Any

import pytest

from engine.errors import Unavailable
from engine.tools.base import NoTools, Policy, Toolbox
from engine.tools.builtin.base import BuiltinTools
from engine.tools.combined import Combined
from engine.tools.registry import BUILTINS
from tests.engine.scripted import Calculator
from tests.engine.tools.contract import ToolboxContract, call

ALWAYS = Policy(approval="always")


class Part(Calculator):
    """A toolbox that notes what becomes of it."""

    def __init__(self, problem: Exception | None = None) -> None:
        self.problem, self.done = problem, list[str]()

    async def open(self) -> None:
        self.done.append("open")
        if self.problem:
            raise self.problem

    async def aclose(self) -> None:
        self.done.append("close")


class TestCombined(ToolboxContract):
    working: tuple[str, dict[str, Any]] | None = ("current_time", {})
    failing = ("current_time", {"timezone": "Nowhere/Land"})

    @pytest.fixture
    async def tools(self) -> Toolbox:
        tools = Combined([NoTools(), BuiltinTools(BUILTINS)])
        await tools.open()
        return tools


async def test_each_tool_keeps_its_policy() -> None:
    tools = Combined([BuiltinTools(BUILTINS, {"current_time": ALWAYS}), Calculator()])
    await tools.open()
    assert tools.policy("current_time") == ALWAYS
    assert tools.policy("add") == tools.policy("nothing") == Policy()


async def test_the_first_part_has_the_name() -> None:
    tools = Combined([Calculator(), Calculator(), NoTools()])
    await tools.open()
    assert [spec.name for spec in tools.specs()] == ["add"]
    assert (await call(tools, "add", numbers=[1, 2])).result == {"sum": 3}


async def test_where_one_cannot_be_opened_none_is_left_open() -> None:
    first, broken, never = Part(), Part(Unavailable("It is away.")), Part()
    with pytest.raises(Unavailable):
        await Combined([first, broken, never]).open()
    assert (first.done, broken.done, never.done) == (["open", "close"], ["open", "close"], [])
