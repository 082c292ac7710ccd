"""The next model call of a run, from what its log holds.

The agent loop uses it after each step, and so does an attempt that goes on with a run after a wait
or a crash: both send the same request.
"""

from collections.abc import Set

import msgspec

from engine import events as ev
from engine.providers.base import ToolRequest
from engine.request import ModelRequest, Turn, result_block, with_page
from engine.text import is_blank
from engine.transcript import Transcript

GO_ON = (
    "Your answer was cut off by a technical fault, exactly after the text above. Go on from there: "
    "do not repeat any of it, do not mention the interruption, and begin with the next word."
)
LOST = "The server stopped during this call. The tool may have run, or not."
"""The result of a call whose own result is not known."""


def next_request(first: ModelRequest, transcript: Transcript) -> ModelRequest:
    """The next request of a run whose first request is `first`.

    The model goes on after an unfinished call because it is asked to, not because the assistant's
    turn is prefilled, which many models refuse."""
    said = _unfinished_text(transcript)
    if is_blank(said):
        return unfinished_request(first, transcript)
    cut = [Turn(role="assistant", content=said), Turn(role="user", content=GO_ON)]
    return _with(first, [*_finished_turns(transcript), *cut])


def unfinished_request(first: ModelRequest, transcript: Transcript) -> ModelRequest:
    """The request of the call that has not finished: all finished steps, and the results of their
    tool calls."""
    return _with(first, _finished_turns(transcript))


def unfinished_chars(transcript: Transcript) -> int:
    """Characters of text and thinking that the unfinished call has brought."""
    text, thinking = transcript.step_ends[-1] if transcript.step_ends else (0, 0)
    return len(transcript.text.between(text)) + len(transcript.thinking.between(thinking))


def turns_of(transcript: Transcript) -> list[Turn]:
    """All turns of a run, as later runs of its conversation send them. A call without a result gets
    one that says so, unless the answer ends with it: then its client sends the result."""
    handed_over = isinstance(transcript.outcome, ev.MessageComplete)
    turns = _finished_turns(transcript, handed_over=handed_over)
    said = _unfinished_text(transcript)
    return turns if is_blank(said) else [*turns, Turn(role="assistant", content=said)]


def open_calls(transcript: Transcript) -> list[ToolRequest]:
    """The calls of the last step that have no result yet, in their order."""
    if not transcript.steps:
        return []
    ended = {tool.id for tool in transcript.tools if tool.ended}
    calls = transcript.steps[-1].tool_calls
    return [ToolRequest(c["id"], c["name"], c["input"]) for c in calls if c["id"] not in ended]


def lost_results(transcript: Transcript, kept: Set[str] = frozenset()) -> list[ev.NewEvent]:
    """The events that end every call which an earlier attempt has left without a result. Calls
    whose id is in `kept` stay open: the loop carries them out."""
    return [
        ev.ToolResult(
            id=tool.id,
            tool=tool.tool,
            result=LOST,
            is_error=True,
            duration_ms=0,
            child_run_id=tool.child_run_id or None,
        )
        for tool in transcript.tools
        if not tool.ended and tool.id not in kept
    ]


def lost_questions(transcript: Transcript) -> list[ev.NewEvent]:
    """The events that end every question which came up in a call of an earlier attempt: nobody
    waits for the answer any more."""
    calls = {tool.id for tool in transcript.tools}
    return [
        ev.ToolResult(
            id=call.id, tool=ev.ASK_USER, result=LOST, is_error=True, duration_ms=0, client=True
        )
        for call in transcript.pending
        if call.kind == "question" and call.child_run_id is None and call.id not in calls
    ]


def _with(first: ModelRequest, turns: list[Turn]) -> ModelRequest:
    return msgspec.structs.replace(first, turns=[*first.turns, *turns])


def _finished_turns(transcript: Transcript, *, handed_over: bool = False) -> list[Turn]:
    """Each finished step in the provider's own blocks, or as text where it has none, and after it
    the results of its calls in the order of the calls, and the messages that have joined there.
    `handed_over`: calls without a result are left out."""
    results = {
        tool.id: result_block(tool.id, tool.result, is_error=bool(tool.is_error))
        for tool in transcript.tools
        if tool.ended
    }
    turns: list[Turn] = []
    begin = 0
    ends = zip(transcript.steps, transcript.step_ends, strict=True)
    for number, (step, (end, _)) in enumerate(ends, 1):
        text = "" if step.blocks else transcript.text.between(begin, end)
        begin = end
        turns.append(Turn(role="assistant", content=text, blocks=step.blocks))
        if step.tool_calls:
            ids = [call["id"] for call in step.tool_calls]
            if handed_over:
                ids = [id for id in ids if id in results]
            blocks = [results.get(id) or result_block(id, LOST, is_error=True) for id in ids]
            if blocks:
                turns.append(Turn(role="user", content="", blocks=blocks))
        joined = [event for steps, event in transcript.steered if steps == number]
        contents = [with_page(event.content, event.context) for event in joined]
        turns += [Turn(role="user", content=content) for content in contents]
    return turns


def _unfinished_text(transcript: Transcript) -> str:
    """The text since the last finished step."""
    return transcript.text.between(transcript.step_ends[-1][0] if transcript.step_ends else 0)
