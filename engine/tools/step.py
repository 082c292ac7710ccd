"""The tool calls of one step: they run at once, each within its bounds."""

import asyncio
import logging
import time
from collections.abc import Collection, Coroutine
from typing import Any, TypeVar

import msgspec

from engine import events as ev
from engine.ids import child_id
from engine.limits.room import Room
from engine.model_call import Emit
from engine.providers.base import ToolRequest
from engine.request import Limits
from engine.tools.base import Delegated, Toolbox, ToolContext, ToolOutcome, Waiting
from engine.tools.clock import Clock
from engine.tools.results import bounded

log = logging.getLogger(__name__)

T = TypeVar("T")

MAX_CALLS = 32
"""Calls of one step: bounds the work that a model can ask for at once."""
CLIENTS = ("question", "client_tool")
"""The kinds of pending calls whose results come from the client."""
CANCEL_SECONDS = 5.0
"""Seconds that a tool has to end when it is cancelled."""
MAX_AT_ONCE = 8
"""Calls of one step at a time: bounds what a run asks of other servers in one moment."""

TOO_MANY = f"Not carried out: a step may have at most {MAX_CALLS} calls. Call again."
FAILED = "The tool failed."
"""Said of a defect. The details go to our log, not to the model."""


class ToolStep:
    """The calls of one step of a run."""

    def __init__(
        self,
        tools: Toolbox,
        run_id: str,
        limits: Limits,
        room: Room,
        clock: Clock | None = None,
    ) -> None:
        """`clock` is that of the run."""
        self._tools, self._limits, self._room, self._clock = tools, limits, room, clock
        self._run_id = run_id
        self._agents = {spec.name for spec in tools.specs() if spec.agent}
        self._gate = asyncio.Semaphore(MAX_AT_ONCE)

    async def carry_out(
        self, uses: list[ToolRequest], emit: Emit, pending: Collection[ev.Pending] = ()
    ) -> list[Waiting]:
        """Make the calls and emit a `ToolResult` as each ends; returns those that wait. Watchers
        are told what a call waits for, unless it is in `pending`.

        Cancelling the task ends all calls and waits until they have ended."""
        known = {call.id: call.kind for call in pending}
        context = ToolContext(
            run_id=self._run_id,
            timeout=self._limits.tool_timeout,
            emit=lambda event: emit([event]),
            pending=pending,
        )
        if refused := uses[MAX_CALLS:]:
            emit([self._result(use, ToolOutcome(TOO_MANY, True), 0.0) for use in refused])
        tasks = [asyncio.create_task(self._call(use, context)) for use in uses[:MAX_CALLS]]
        waiting: list[Waiting] = []
        try:
            for ended in asyncio.as_completed(tasks):
                outcome = await ended
                if isinstance(outcome, Waiting):
                    waiting.append(outcome)
                    if outcome.asked is not None and outcome.asked.id not in known:
                        emit([outcome.asked])
                else:
                    client = known.get(outcome.id) in CLIENTS
                    emit([msgspec.structs.replace(outcome, client=client)])
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return waiting

    async def _call(self, use: ToolRequest, context: ToolContext) -> ev.ToolResult | Waiting:
        """One call, to its result."""
        async with self._gate:
            begun = time.monotonic()
            outcome = await self._outcome(use, context)
        if isinstance(outcome, Waiting):
            return outcome
        return self._result(use, outcome, time.monotonic() - begun)

    async def _outcome(self, use: ToolRequest, context: ToolContext) -> ToolOutcome | Waiting:
        """The result or the failure of the call. Raises nothing but a cancel."""
        try:
            clock = Clock(context.timeout, self._clock)
            timed = msgspec.structs.replace(context, clock=clock)
            outcome = await _bounded(self._tools.call(use.id, use.name, use.args, timed), clock)
            return outcome if isinstance(outcome, Waiting) else self._fitted(outcome)
        except TimeoutError:
            return ToolOutcome(f"The tool did not end within {context.timeout:g} seconds.", True)
        except asyncio.CancelledError:
            if asyncio.current_task().cancelling():  # type: ignore[union-attr]
                raise
            # Something within the tool was cancelled, not this call.
            return ToolOutcome(FAILED, True)
        except Exception:  # a defect of one tool must not end the run
            log.exception("tool %s of run %s failed", use.name, context.run_id)
            return ToolOutcome(FAILED, True)

    def _fitted(self, outcome: ToolOutcome) -> ToolOutcome:
        """The outcome within the room that the run has for results. Raises `ValueError` for a
        result that is no JSON."""
        most = min(self._limits.tool_result_bytes, self._room.results_left)
        result = bounded(outcome.result, most)
        self._room.results_left -= min(len(msgspec.json.encode(result)), self._room.results_left)
        return outcome.with_result(result)

    def _result(self, use: ToolRequest, outcome: ToolOutcome, seconds: float) -> ev.ToolResult:
        took = outcome.seconds if isinstance(outcome, Delegated) else seconds
        return ev.ToolResult(
            id=use.id,
            tool=use.name,
            result=outcome.result,
            is_error=outcome.is_error,
            duration_ms=round(took * 1000),
            child_run_id=child_id(self._run_id, use.id) if use.name in self._agents else None,
        )


async def _bounded(call: Coroutine[Any, Any, T], clock: Clock) -> T:
    """The outcome of a call that takes at most the time of the clock. One that does not end when it
    is cancelled is left behind after `CANCEL_SECONDS`. Raises `TimeoutError`."""
    task = asyncio.create_task(call)
    task.add_done_callback(_retrieve)
    try:
        async with clock:
            await asyncio.wait({task})
        return task.result()
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=CANCEL_SECONDS)
            if not task.done():
                log.error("a tool does not end although it was cancelled: %s", task)


def _retrieve(task: asyncio.Task[Any]) -> None:
    """Take the error of a task that nobody waits for any more."""
    if not task.cancelled():
        task.exception()
