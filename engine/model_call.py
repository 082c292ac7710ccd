"""One model call of a run: turns its deltas into events, and counts its cost."""

import time
from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec

from engine import events as ev
from engine.ids import child_id
from engine.limits.purse import Purse, exceeded
from engine.limits.room import Room, too_long
from engine.providers import base
from engine.request import ModelRequest, estimate_prompt
from engine.text import clean, storable
from engine.tools.call_ids import CallIds
from engine.usage import TokenCounts, estimate_tokens, settle

Emit: TypeAlias = Callable[[list[ev.NewEvent]], None]
"""Takes events (never none) that belong together; it never waits."""
UNREAD = "The tool was not called: its arguments are no JSON object. Call it again."
MAX_QUOTED = 500
"""Characters of such arguments that the model is reminded of."""
Handler: TypeAlias = Callable[["ModelCall", Any], "ev.NewEvent | None"]


class ModelCall:
    """One model call and what it has brought so far."""

    __slots__ = (
        "agents",
        "begun",
        "client_tools",
        "counts",
        "finished",
        "first_at",
        "ids",
        "purse",
        "request",
        "room",
        "run_id",
        "seen_chars",
        "thinking_index",
        "token_index",
    )

    def __init__(
        self,
        request: ModelRequest,
        room: Room,
        ids: CallIds,
        token_index: int,
        thinking_index: int,
        run_id: str = "",
        purse: Purse | None = None,
    ) -> None:
        self.request, self.room, self.ids, self.run_id = request, room, ids, run_id
        self.purse = purse
        ids.begin()
        self.agents = {tool.name for tool in request.tools if tool.agent}
        self.client_tools = {tool.name for tool in request.tools if tool.client}
        self.token_index, self.thinking_index = token_index, thinking_index
        self.counts: TokenCounts | None = None
        self.finished: base.Finished | None = None
        self.seen_chars = 0
        self.begun = time.monotonic()
        self.first_at: float | None = None

    def pass_on(self, emit: Emit, deltas: list[base.Delta]) -> None:
        """Emit the events of these deltas, if there are any.

        Raises `ProviderError` once the answer has no room, when what fits has been emitted, and
        `budget_exceeded` once it has used more than the purse has."""
        events = []
        for delta in deltas:
            if (event := _TRANSLATE[type(delta)](self, delta)) is not None:
                events.append(event)
                if type(delta) is base.ToolRequest and delta.unread:
                    events.append(_refusal(event, delta.unread))
            if self.room.over:
                break
        if events:
            if self.first_at is None:
                self.first_at = time.monotonic()
            emit(events)
        if self.room.over:
            raise too_long()
        if self.purse is not None and self.finished is None and not self._covered(self.purse):
            raise exceeded()

    def _covered(self, purse: Purse) -> bool:
        counted = self.counts.input_tokens if self.counts else None
        prompt = estimate_prompt(self.request) if counted is None else counted
        return purse.covers(prompt, estimate_tokens(self.seen_chars))

    def usage(self, price_list: str | None) -> ev.UsageReported:
        """The usage of this call until now, estimated where the provider has not counted."""
        report = settle(
            self.counts or TokenCounts(),
            complete=self.finished is not None,
            prompt_estimate=estimate_prompt(self.request),
            output_estimate=estimate_tokens(self.seen_chars),
            price_list=price_list,
            model=self.request.model,
        )
        first = None if self.first_at is None else _milliseconds(self.first_at - self.begun)
        duration = _milliseconds(time.monotonic() - self.begun)
        return msgspec.structs.replace(report, ttft_ms=first, duration_ms=duration)


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _text(call: ModelCall, delta: base.TextDelta) -> ev.NewEvent | None:
    pieces, index = delta.pieces, call.token_index
    whole = "".join(pieces)
    if "\0" in whole:
        pieces = [storable(piece) for piece in pieces]
        whole = storable(whole)
    room = call.room
    if whole.isascii() and len(whole) <= room.left:
        room.left -= len(whole)  # as `take` does, without a call for each token
        fits = whole
    else:
        fits = room.take(whole)
    if fits is not whole:
        pieces = _cut(pieces, len(fits))
    call.token_index += len(pieces)
    call.seen_chars += len(fits)
    return ev.Tokens(pieces, index) if pieces else None


def _cut(pieces: list[str], length: int) -> list[str]:
    """The first `length` characters of `pieces`."""
    kept = []
    for piece in pieces:
        if length <= 0:
            break
        kept.append(piece[:length])
        length -= len(piece)
    return kept


def _thinking(call: ModelCall, delta: base.ThinkingDelta) -> ev.NewEvent | None:
    text = call.room.take(storable(delta.text))
    if not text:
        return None
    event = ev.Thinking(content=text, index=call.thinking_index)
    call.thinking_index += 1
    call.seen_chars += len(text)
    return event


def _fragment(call: ModelCall, delta: base.ToolDelta) -> ev.NewEvent:
    call.room.hide(len(delta.id or "") + len(delta.name or ""))
    id = call.ids.unique(clean(delta.id)) if delta.id else None
    arguments = call.room.take_fragment(delta.arguments)
    call.seen_chars += len(arguments)
    return ev.ToolCallDelta(index=delta.index, arguments=arguments, id=id, name=delta.name)


def _tool_use(call: ModelCall, delta: base.ToolRequest) -> ev.NewEvent | None:
    id = call.ids.unique(clean(delta.id))
    use = base.ToolRequest(id, clean(delta.name), clean(delta.args))
    if not call.room.take_call(len(msgspec.json.encode(use.args))):
        return None
    return ev.ToolCall(
        id=use.id,
        tool=use.name,
        args=use.args,
        name=use.name,
        arguments=use.args,
        client=use.name in call.client_tools,
        child_run_id=child_id(call.run_id, use.id) if use.name in call.agents else None,
    )


def _refusal(call: ev.NewEvent, unread: str) -> ev.ToolResult:
    """The result of a call whose arguments cannot be read: the model corrects itself."""
    assert isinstance(call, ev.ToolCall)
    told = f"{UNREAD} You wrote: {storable(unread[:MAX_QUOTED])}"
    return ev.ToolResult(id=call.id, tool=call.tool, result=told, is_error=True, duration_ms=0)


def _hidden(call: ModelCall, delta: base.Hidden) -> None:
    call.room.hide(delta.size)


def _counted(call: ModelCall, delta: base.Counted) -> None:
    call.counts = delta.counts


def _finished(call: ModelCall, delta: base.Finished) -> None:
    call.finished = base.Finished(clean(delta.stop_reason), call.ids.renamed(clean(delta.blocks)))


_TRANSLATE: dict[type[Any], Handler] = {
    base.TextDelta: _text,
    base.ThinkingDelta: _thinking,
    base.ToolDelta: _fragment,
    base.ToolRequest: _tool_use,
    base.Hidden: _hidden,
    base.Counted: _counted,
    base.Finished: _finished,
}
