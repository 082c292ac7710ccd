"""What every toolbox promises. A test module of a toolbox subclasses `ToolboxContract`."""

import asyncio
import re
from typing import Any

import msgspec

from engine.tools.base import Toolbox, ToolContext, ToolOutcome
from engine.tools.results import bounded

CONTEXT = ToolContext(run_id="run_1", timeout=5.0, emit=lambda event: None)
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""Tool names that all model servers take."""


async def call(tools: Toolbox, name: str, **args: Any) -> ToolOutcome:
    """The outcome of a call that does not wait."""
    outcome = await tools.call("call_1", name, args, CONTEXT)
    assert isinstance(outcome, ToolOutcome)
    return outcome


class ToolboxContract:
    """Subclasses give the fixture `tools`, which is open, and the calls named here."""

    working: tuple[str, dict[str, Any]] | None
    """A call that succeeds; None for a toolbox without tools."""
    failing: tuple[str, dict[str, Any]]
    """A call that fails."""

    async def test_it_works(self, tools: Toolbox) -> None:
        if self.working is not None:
            name, args = self.working
            outcome = await call(tools, name, **args)
            assert not outcome.is_error
            assert bounded(outcome.result, 1 << 20) == outcome.result  # it is JSON

    async def test_specs_are_what_model_servers_take(self, tools: Toolbox) -> None:
        specs = tools.specs()
        assert len({spec.name for spec in specs}) == len(specs)
        assert bool(specs) == (self.working is not None)
        for spec in specs:
            assert NAME.fullmatch(spec.name)
            assert spec.description.strip()
            assert spec.input_schema["type"] == "object"
            assert "$ref" not in msgspec.json.encode(spec.input_schema).decode()

    async def test_specs_are_the_same_each_time(self, tools: Toolbox) -> None:
        assert tools.specs() == tools.specs()  # a model server's cache depends on it

    async def test_a_failure_is_an_outcome(self, tools: Toolbox) -> None:
        name, args = self.failing
        outcome = await call(tools, name, **args)
        assert outcome.is_error and outcome.result

    async def test_an_unknown_name_is_an_outcome(self, tools: Toolbox) -> None:
        for name in ("", "no such tool", "\ufffd"):
            outcome = await call(tools, name)
            assert outcome.is_error and "no tool" in outcome.result

    async def test_odd_arguments_are_outcomes(self, tools: Toolbox) -> None:
        for spec in tools.specs():
            for value in (None, "", 1, [], {}, "x" * 100_000):
                args = dict.fromkeys([*spec.input_schema.get("properties", {}), "other"], value)
                assert isinstance(await call(tools, spec.name, **args), ToolOutcome)

    async def test_many_calls_run_at_once(self, tools: Toolbox) -> None:
        name, args = self.working or self.failing
        outcomes = await asyncio.gather(*(call(tools, name, **args) for _ in range(8)))
        assert len({outcome.is_error for outcome in outcomes}) == 1

    async def test_closing_twice_does_no_harm(self, tools: Toolbox) -> None:
        await tools.aclose()
        await tools.aclose()
