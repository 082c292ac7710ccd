"""`engine.tools.step`: the calls of one step, at once and within their bounds."""

import asyncio
import contextlib
from typing import Any

import pytest

from engine import events as ev
from engine.limits.room import MAX_RESULTS_BYTES, Room
from engine.providers.base import ToolRequest
from engine.request import Limits
from engine.tools.base import NoTools, Toolbox, ToolContext, ToolOutcome, Waiting
from engine.tools.step import FAILED, MAX_AT_ONCE, MAX_CALLS, ToolStep
from tests.engine.scripted import Calculator, add, waiting

LIMITS = Limits(tool_timeout=5, tool_result_bytes=1000)


class Gated(NoTools):
    """Each call ends when the event of its id is set; `open` are those that run."""

    def __init__(self) -> None:
        self.gates: dict[str, asyncio.Event] = {}
        self.running: set[str] = set()
        self.most = 0
        self.changed = asyncio.Event()
        self.killed: set[str] = set()

    async def call(
        self, id: str, name: str, args: dict[str, Any], context: ToolContext
    ) -> ToolOutcome | Waiting:
        self.running.add(id)
        self.most = max(self.most, len(self.running))
        self.changed.set()
        try:
            await self.gates.setdefault(id, asyncio.Event()).wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)  # it takes a moment to clean up
            self.killed.add(id)
            raise
        finally:
            self.running.discard(id)
        return ToolOutcome(id, False)

    async def until(self, running: int) -> None:
        while len(self.running) < running:
            self.changed.clear()
            await self.changed.wait()


def step_of(tools: Toolbox, limits: Limits = LIMITS, room: Room | None = None) -> ToolStep:
    return ToolStep(tools, "run_1", limits, room or Room(0))


class Step:
    """The calls of one step, and what they emit."""

    def __init__(self) -> None:
        self.results: list[ev.ToolResult] = []
        self.came = asyncio.Event()

    def emit(self, events: list[ev.NewEvent]) -> None:
        self.results += [event for event in events if isinstance(event, ev.ToolResult)]
        self.came.set()

    def begin(self, tools: Any, *ids: str, limits: Limits = LIMITS) -> asyncio.Task[list[Waiting]]:
        uses = [ToolRequest(id, "n", {}) for id in ids]
        return asyncio.create_task(step_of(tools, limits).carry_out(uses, self.emit))


async def result_of(call: Any, limits: Limits = LIMITS) -> ev.ToolResult:
    """The result of a tool that is this function."""

    class One(NoTools):
        async def call(self, *_: Any) -> Any:
            return await call()

    step = Step()
    await step.begin(One(), "a", limits=limits)
    (result,) = step.results
    return result


async def test_it_works() -> None:
    step = Step()
    assert await step_of(Calculator()).carry_out([add(2, 3)], step.emit) == []
    (result,) = step.results
    assert (result.id, result.tool, result.result) == ("toolu_1", "add", {"sum": 5})
    assert not result.is_error and result.duration_ms >= 0


async def test_calls_run_at_once_and_each_result_comes_as_its_call_ends() -> None:
    tools, step = Gated(), Step()
    task = step.begin(tools, "a", "b", "c")
    await tools.until(3)
    for id in ("b", "c", "a"):
        step.came.clear()
        tools.gates[id].set()
        await step.came.wait()
    await task
    assert [result.id for result in step.results] == ["b", "c", "a"]


async def test_only_some_of_many_run_at_once() -> None:
    tools, step = Gated(), Step()
    ids = [str(n) for n in range(MAX_CALLS)]
    task = step.begin(tools, *ids)
    await tools.until(MAX_AT_ONCE)
    for id in ids:
        tools.gates.setdefault(id, asyncio.Event()).set()
    await task
    assert tools.most == MAX_AT_ONCE and len(step.results) == MAX_CALLS


async def test_too_many_are_refused_as_results() -> None:
    tools, step = Gated(), Step()
    ids = [str(n) for n in range(MAX_CALLS + 2)]
    tools.gates = {id: asyncio.Event() for id in ids}
    for gate in tools.gates.values():
        gate.set()
    await step.begin(tools, *ids)
    assert sorted(result.id for result in step.results) == sorted(ids)
    assert {result.id for result in step.results if result.is_error} == set(ids[MAX_CALLS:])


async def test_a_call_that_takes_too_long_is_ended() -> None:
    tools, step = Gated(), Step()
    await step.begin(tools, "a", limits=Limits(tool_timeout=0.01))
    (result,) = step.results
    assert result.is_error and "0.01 seconds" in result.result
    assert tools.killed == {"a"}


class Deaf(NoTools):
    """A tool that does not end when it is cancelled, until it is told to."""

    def __init__(self) -> None:
        self.begun, self.end = asyncio.Event(), asyncio.Event()

    async def call(self, *_: Any) -> ToolOutcome:
        self.begun.set()
        while not self.end.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await self.end.wait()
        raise RuntimeError("nobody waits for this any more")


async def test_p34_a_tool_that_outlives_its_time_is_left_behind(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("engine.tools.step.CANCEL_SECONDS", 0.01)
    tool, step = Deaf(), Step()
    await step.begin(tool, "a", limits=Limits(tool_timeout=0.01))
    (result,) = step.results
    assert result.is_error and "0.01 seconds" in result.result
    assert "although it was cancelled" in caplog.text
    tool.end.set()


async def test_p34_a_tool_that_outlives_the_cancel_of_its_run_does_not_hold_it_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("engine.tools.step.CANCEL_SECONDS", 0.01)
    tool = Deaf()
    task = Step().begin(tool, "a")
    await tool.begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 2)
    tool.end.set()


@pytest.mark.parametrize("size", [5000, 10 * 1024 * 1024])
async def test_a_long_result_is_cut(size: int) -> None:
    async def long() -> ToolOutcome:
        return ToolOutcome("x" * size, False)

    result = await result_of(long)
    assert len(result.result) < 1000 and not result.is_error


async def test_the_results_of_a_run_are_bounded_together() -> None:
    class Long(NoTools):
        async def call(self, *_: Any) -> ToolOutcome:
            return ToolOutcome("x" * 900, False)

    step, room = Step(), Room(0, MAX_RESULTS_BYTES - 1500)
    uses = [ToolRequest(id, "n", {}) for id in "abc"]
    await step_of(Long(), LIMITS, room).carry_out(uses, step.emit)
    sizes = [len(result.result) for result in step.results]
    assert sizes[0] == 900 and sizes[1] < 600 and sizes[2] < 100
    assert "was cut here" in step.results[2].result


@pytest.mark.parametrize("wrong", [RuntimeError("SECRET"), asyncio.CancelledError(), OSError()])
async def test_a_tool_that_breaks_is_a_result_without_what_is_inside(wrong: BaseException) -> None:
    async def broken() -> ToolOutcome:
        raise wrong

    result = await result_of(broken)
    assert (result.result, result.is_error) == (FAILED, True)


async def test_a_call_that_fails_leaves_the_others_alone() -> None:
    """https://github.com/anthropics/claude-code/issues/64346"""

    class OneBreaks(Gated):
        async def call(
            self, id: str, name: str, args: dict[str, Any], context: ToolContext
        ) -> ToolOutcome | Waiting:
            if id == "a":
                raise RuntimeError
            return await super().call(id, name, args, context)

    tools, step = OneBreaks(), Step()
    task = step.begin(tools, "a", "b")
    await step.came.wait()
    tools.gates["b"].set()
    await task
    assert [(result.id, result.is_error) for result in step.results] == [("a", True), ("b", False)]
    assert not tools.killed


async def test_what_is_no_json_is_a_failure_of_the_tool() -> None:
    async def odd() -> ToolOutcome:
        return ToolOutcome({1: object()}, False)

    assert (await result_of(odd)).is_error


async def test_cancelling_ends_all_calls_and_waits_for_them() -> None:
    tools, step = Gated(), Step()
    task = step.begin(tools, "a", "b")
    await tools.until(2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert tools.killed == {"a", "b"} and not step.results


async def test_what_emit_raises_ends_the_other_calls() -> None:
    tools = Gated()

    def refuse(events: list[ev.NewEvent]) -> None:
        raise LookupError

    uses = [ToolRequest(id, "n", {}) for id in ("a", "b")]
    task = asyncio.create_task(step_of(tools).carry_out(uses, refuse))
    await tools.until(2)
    tools.gates["a"].set()
    with pytest.raises(LookupError):
        await task
    assert tools.killed == {"b"}


async def test_a_call_that_waits_is_no_result() -> None:
    class Asking(Gated):
        async def call(
            self, id: str, name: str, args: dict[str, Any], context: ToolContext
        ) -> ToolOutcome | Waiting:
            if id == "a":
                return waiting(id)
            return await super().call(id, name, args, context)

    tools, step = Asking(), Step()
    task = step.begin(tools, "a", "b")
    await tools.until(1)
    tools.gates["b"].set()
    assert await task == [waiting("a")]
    assert [result.id for result in step.results] == ["b"]
