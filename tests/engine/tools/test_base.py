"""`engine.tools.base`: the toolbox without tools."""

import pytest

from engine.tools.base import NoTools
from tests.engine.tools.contract import ToolboxContract


class TestNoTools(ToolboxContract):
    working = None
    failing = ("add", {"numbers": [1]})

    @pytest.fixture
    def tools(self) -> NoTools:
        return NoTools()
