"""The agent loop: model call, tools, model call, until the answer stands.

No I/O of its own beyond the provider and the tools. It is stopped by cancelling the task that
runs it, never by a flag polled between chunks: a flag is not seen before the first token or
in a stall.
"""

import json
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeAlias

import msgspec

from engine import events as ev
from engine.errors import ProviderError, TooManySteps
from engine.providers import base
from engine.request import Limits, ModelRequest, Turn, estimate_prompt
from engine.tools.base import Toolbox
from engine.usage import TokenCounts, estimate_tokens, settle

Emit: TypeAlias = Callable[[list[ev.NewEvent]], None]
"""Takes events (never none) that belong together; it never waits."""
Handler: TypeAlias = Callable[["Call", Any], "ev.NewEvent | None"]


class Call:
    """One model call: what it has brought so far."""

    __slots__ = (
        "counts",
        "finished",
        "request",
        "seen_chars",
        "thinking_index",
        "token_index",
        "uses",
    )

    def __init__(self, request: ModelRequest, token_index: int, thinking_index: int) -> None:
        self.request = request
        self.token_index, self.thinking_index = token_index, thinking_index
        self.counts: TokenCounts | None = None
        self.finished: base.Finished | None = None
        self.uses: list[base.ToolUse] = []
        self.seen_chars = 0

    def pass_on(self, emit: Emit, deltas: list[base.Delta]) -> None:
        """Emit what these deltas mean to a watcher, if anything."""
        events = []
        for delta in deltas:
            if (event := _TRANSLATE[type(delta)](self, delta)) is not None:
                events.append(event)
        if events:
            emit(events)

    def usage(self, price_list: str | None) -> ev.UsageReported:
        """What this call cost, as far as anybody knows."""
        return settle(
            self.counts or TokenCounts(),
            complete=self.finished is not None,
            prompt_estimate=estimate_prompt(self.request),
            output_estimate=estimate_tokens(self.seen_chars),
            price_list=price_list,
            model=self.request.model,
        )

    def turn(self) -> Turn:
        """The assistant's turn in the provider's own blocks, to be sent back."""
        blocks = self.finished.blocks if self.finished else []
        return Turn(role="assistant", content="", blocks=blocks)


class Answer:
    """One run: await `run()`; afterwards, or after a cut, ask `cut_usage()`.

    `token_index` and `thinking_index`: how many an earlier attempt has written."""

    def __init__(
        self,
        request: ModelRequest,
        provider: base.Provider,
        tools: Toolbox,
        limits: Limits,
        *,
        token_index: int = 0,
        thinking_index: int = 0,
    ) -> None:
        self._request, self._provider = request, provider
        self._tools, self._limits = tools, limits
        self._token_index, self._thinking_index = token_index, thinking_index
        self._call: Call | None = None

    async def run(self, emit: Emit, at_step: Callable[[], Awaitable[None]]) -> None:
        """Emit everything that happens, at last the last call's `Step`; `at_step` is awaited after
        each. What `emit` is given at once arrived at once, and what it raises ends the run.

        Raises `ProviderError` and `TooManySteps`."""
        request = self._request
        token_index, thinking_index = self._token_index, self._thinking_index
        for _ in range(self._limits.model_calls):
            call = self._call = Call(request, token_index, thinking_index)
            sink = partial(call.pass_on, emit)
            await self._provider.call(request, sink, idle_timeout=self._limits.idle_timeout)
            if call.finished is None:
                raise RuntimeError(f"{self._provider.name} ended a call without Finished")
            token_index, thinking_index = call.token_index, call.thinking_index
            usage = call.usage(self._provider.price_list)
            self._call = None
            stop_reason, blocks = call.finished.stop_reason, call.finished.blocks
            emit([usage, ev.Step(stop_reason=stop_reason, blocks=blocks)])
            await at_step()
            if stop_reason == "pause_turn":  # resend as it is
                request = _with(request, call.turn())
            elif call.uses and stop_reason == "tool_use":
                results = [await self._use(use, emit) for use in call.uses]
                user = Turn(role="user", content="", blocks=results)
                request = _with(request, call.turn(), user)
            else:
                return
        raise TooManySteps

    def cut_usage(self, error: BaseException) -> ev.UsageReported | None:
        """The usage of the model call that `error` cut, or None if no call was cut.

        A call that a model server refused at once (`error` says so, and it had sent nothing) cost
        nothing."""
        call, self._call = self._call, None
        if call is None:
            return None
        refused = isinstance(error, ProviderError) and error.code != "upstream_timeout"
        if refused and call.counts is None and not call.seen_chars:
            return None
        return call.usage(self._provider.price_list)

    async def _use(self, use: base.ToolUse, emit: Emit) -> dict[str, Any]:
        """Carry out a call; returns the block to send back."""
        begun = time.monotonic()
        outcome = await self._tools.call(use.name, use.args)
        result = ev.ToolResult(
            id=use.id,
            tool=use.name,
            result=_clean(outcome.result),
            is_error=outcome.is_error,
            duration_ms=round((time.monotonic() - begun) * 1000),
        )
        emit([result])
        return _result_block(result)


def _with(request: ModelRequest, *turns: Turn) -> ModelRequest:
    return msgspec.structs.replace(request, turns=[*request.turns, *turns])


def _result_block(event: ev.ToolResult) -> dict[str, Any]:
    result = event.result
    content = result if isinstance(result, str) else json.dumps(result)
    block = {"type": "tool_result", "tool_use_id": event.id, "content": content}
    return block | {"is_error": True} if event.is_error else block


def _storable(text: str) -> str:
    """PostgreSQL cannot store NUL; better a visible replacement than an answer that is lost."""
    return text.replace("\0", "\ufffd") if "\0" in text else text


def _clean(value: Any) -> Any:
    """The same for all texts within."""
    match value:
        case str():
            return _storable(value)
        case list():
            return [_clean(item) for item in value]
        case dict():
            return {_clean(key): _clean(item) for key, item in value.items()}
    return value


def _text(call: Call, delta: base.TextDelta) -> ev.Tokens:
    pieces, index = delta.pieces, call.token_index
    whole = "".join(pieces)
    if "\0" in whole:
        pieces = [_storable(piece) for piece in pieces]
    call.token_index += len(pieces)
    call.seen_chars += len(whole)
    return ev.Tokens(pieces, index)


def _thinking(call: Call, delta: base.ThinkingDelta) -> ev.Event:
    event = ev.Thinking(content=_storable(delta.text), index=call.thinking_index)
    call.thinking_index += 1
    call.seen_chars += len(delta.text)
    return event


def _fragment(call: Call, delta: base.ToolDelta) -> ev.Event:
    call.seen_chars += len(delta.arguments)
    return ev.ToolCallDelta(
        index=delta.index, arguments=delta.arguments, id=delta.id, name=delta.name
    )


def _tool_use(call: Call, delta: base.ToolUse) -> ev.Event:
    use = base.ToolUse(_clean(delta.id), _clean(delta.name), _clean(delta.args))
    call.uses.append(use)
    return ev.ToolCall(id=use.id, tool=use.name, args=use.args, name=use.name, arguments=use.args)


def _counted(call: Call, delta: base.Counted) -> None:
    call.counts = delta.counts


def _finished(call: Call, delta: base.Finished) -> None:
    call.finished = base.Finished(_clean(delta.stop_reason), _clean(delta.blocks))


_TRANSLATE: dict[type[Any], Handler] = {
    base.TextDelta: _text,
    base.ThinkingDelta: _thinking,
    base.ToolDelta: _fragment,
    base.ToolUse: _tool_use,
    base.Counted: _counted,
    base.Finished: _finished,
}
