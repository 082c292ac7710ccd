"""`engine.tools.registry`: each built-in tool is complete."""

import pytest

from engine.tools.base import Toolbox
from engine.tools.builtin.base import BuiltinTools
from engine.tools.registry import BUILTINS
from tests.engine.tools.contract import ToolboxContract, call


class TestBuiltins(ToolboxContract):
    working = ("current_time", {})
    failing = ("current_time", {"timezone": "Nowhere/Land"})

    @pytest.fixture
    def tools(self) -> Toolbox:
        return BuiltinTools(BUILTINS)


@pytest.mark.parametrize("name", BUILTINS)
async def test_every_argument_is_described_to_the_model(name: str) -> None:
    properties = BUILTINS[name].spec(name).input_schema["properties"]
    assert all(field["description"] for field in properties.values())


async def test_it_works() -> None:
    assert not (await call(BuiltinTools(BUILTINS), "current_time")).is_error
