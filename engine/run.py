"""The agent loop: model call, tools, model call, until the answer stands.

It does no I/O of its own beyond the provider and the tools. It is stopped by cancelling the task
that runs it, never by a flag polled between chunks: a flag is not seen before the first token or
in a stall.
"""

from collections.abc import Awaitable, Callable, Iterator
from functools import partial

import msgspec

from engine import events as ev
from engine.continuation import next_request, open_calls
from engine.errors import ProviderError, TooManySteps
from engine.limits.purse import Purse
from engine.limits.room import Room
from engine.model_call import Emit, ModelCall
from engine.providers.base import Provider
from engine.request import Limits, ModelRequest, estimate_prompt
from engine.tools.base import Toolbox, Waiting
from engine.tools.call_ids import CallIds
from engine.tools.clock import Clock
from engine.tools.step import ToolStep
from engine.transcript import Transcript


class AgentLoop:
    """One attempt at a run: await `run()`; afterwards, or after a cut, ask `cut_usage()`.

    `first` is the run's first request, with the specs of `tools`. `transcript` is what the run's
    log holds: the loop goes on from there. A run without a budget has no `purse`.
    `clock` is stopped while a tool waits for a person."""

    def __init__(
        self,
        first: ModelRequest,
        transcript: Transcript,
        provider: Provider,
        tools: Toolbox,
        limits: Limits,
        purse: Purse | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._first, self._transcript = first, transcript
        self._provider, self._tools = provider, tools
        self._limits, self._clock = limits, clock
        self._room = Room(limits.answer_bytes - _said(transcript), _brought(transcript))
        started = transcript.started
        self._run_id = started.run_id if started else ""
        child = started is not None and started.parent_run_id is not None
        self._ids = CallIds(_taken(first, transcript), own=child)
        self._call: ModelCall | None = None
        self._purse = purse
        if purse is not None:
            for report in transcript.reports:
                purse.settle(report)

    async def run(
        self,
        emit: Emit,
        at_step: Callable[[], Awaitable[None]],
        steer: Callable[[], Awaitable[None]],
    ) -> list[Waiting]:
        """Emit everything that happens. `at_step` is awaited after each model call, and `steer`
        when all tools of a step have ended: what it emits is known to the next model call. Returns
        the tool calls that wait for somebody: none once the answer stands.

        `emit` folds what it is given into the transcript. Deltas of one call arrived together, and
        an exception of it ends the run. Raises `ProviderError`, `TooManySteps`, and
        `budget_exceeded` once the purse is empty."""
        transcript = self._transcript
        while not transcript.answered:
            if len(transcript.steps) >= self._limits.model_calls:
                raise TooManySteps
            if calls := open_calls(transcript):
                step = ToolStep(self._tools, self._run_id, self._limits, self._room, self._clock)
                if waiting := await step.carry_out(calls, emit, transcript.pending):
                    return waiting
            if transcript.steps and transcript.steps[-1].tool_calls:
                await steer()
            await self._ask(next_request(self._first, transcript), emit)
            await at_step()
        return []

    def cut_usage(self, error: BaseException) -> ev.UsageReported | None:
        """The usage of the model call that `error` cut, or None if no call was cut.

        A call that a model server refused at once (`error` says so, and it had sent nothing) cost
        nothing."""
        call, self._call = self._call, None
        if call is None:
            return None
        refused = isinstance(error, ProviderError) and error.code != "upstream_timeout"
        refused = refused and not call.room.over
        if refused and call.counts is None and not call.seen_chars:
            return None
        return call.usage(self._provider.price_list)

    async def _ask(self, request: ModelRequest, emit: Emit) -> None:
        """One model call, to its `Step`."""
        provider, transcript, purse = self._provider, self._transcript, self._purse
        if purse is not None:
            await purse.prepare(estimate_prompt(request), request.max_tokens)
        call = self._call = ModelCall(
            request,
            self._room,
            self._ids,
            token_index=transcript.token_count,
            thinking_index=transcript.thinking_count,
            run_id=self._run_id,
            purse=purse,
        )
        sink = partial(call.pass_on, emit)
        await provider.call(request, sink, idle_timeout=self._limits.idle_timeout)
        if call.finished is None:
            raise RuntimeError(f"{provider.name} ended a call without Finished")
        usage, ended = call.usage(provider.price_list), call.finished
        self._call = None
        if purse is not None:
            purse.settle(usage)
        emit([usage, ev.Step(stop_reason=ended.stop_reason, blocks=ended.blocks)])


def _taken(first: ModelRequest, transcript: Transcript) -> Iterator[str]:
    """The ids of all tool calls that the model is sent, and of those that watchers have seen."""
    yield from (tool.id for tool in transcript.tools)
    blocks = (block for turn in first.turns for block in turn.blocks)
    yield from (block["id"] for block in blocks if block.get("type") == "tool_use")


def _said(transcript: Transcript) -> int:
    """Bytes of the text, the thinking and the tool arguments that a run has brought."""
    arguments = sum(len(msgspec.json.encode(tool.args)) for tool in transcript.tools)
    return transcript.size + arguments


def _brought(transcript: Transcript) -> int:
    """Bytes of the results that the tools of a run have brought."""
    return sum(len(msgspec.json.encode(tool.result)) for tool in transcript.tools if tool.ended)
