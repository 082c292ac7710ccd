"""Reads chunks of Chat Completions whose fields have other types than the API says."""

from typing import Any

from engine.providers.openai.wire import WireCall, WireChoice, WireChunk, WireDelta, WireFunction
from engine.providers.server.lenient import (
    Speech,
    arguments_of,
    count_of,
    first_of,
    name_of,
    object_of,
    text_of,
)
from engine.providers.server.reasons import read_reason

IN_CHOICE = frozenset({"delta", "message", "finish_reason"})
"""Fields that tell a choice from other objects, where it stands without a list."""

IN_CALL = frozenset({"function", "arguments", "input", "parameters", "extra_content"})
"""Fields of a tool call that may hold an object."""


def read_chunk(said: dict[str, Any]) -> WireChunk:
    """One event. Its choice may stand without a list."""
    choices, reason = said.get("choices"), read_reason(said.get("finish_reason"))
    if choices is None:
        choices = said
    if isinstance(choices, dict):
        choices = [choices] if IN_CHOICE & choices.keys() else list(choices.values())
    elif not isinstance(choices, list):
        choices = []
    read = [read_choice(choice) for choice in choices if isinstance(choice, dict)]
    return WireChunk(read or None, said.get("usage"), said.get("error"), reason)


def read_choice(said: dict[str, Any]) -> WireChoice:
    """A piece of one answer; without an index it is that of the only one."""
    return WireChoice(
        index=count_of(said.get("index")) or 0,
        delta=read_delta(said.get("delta")),
        finish_reason=read_reason(said.get("finish_reason")),
        message=read_delta(said.get("message")),
        text=text_of(said.get("text")),
        usage=said.get("usage"),
        error=said.get("error"),
    )


def read_delta(said: Any) -> WireDelta | None:
    """A piece of the message; the text alone may stand for it."""
    if not isinstance(said, dict):
        return WireDelta(content=text_of(said)) if said else None
    content = Speech(said.get("content"))
    call = said.get("function_call")
    return WireDelta(
        content=content.text,
        reasoning_content=text_of(said.get("reasoning_content")),
        reasoning=text_of(said.get("reasoning")),
        thinking=content.thinking or text_of(said.get("thinking")),
        reasoning_details=said.get("reasoning_details"),
        refusal=content.refusal + text_of(said.get("refusal")),
        tool_calls=read_calls(said.get("tool_calls")),
        function_call=read_function(call) if isinstance(call, dict) else None,
        finish_reason=read_reason(said.get("finish_reason")),
    )


def read_calls(said: Any) -> list[WireCall]:
    """The fragments of tool calls; one may stand without a list, or each below its index."""
    if isinstance(said, dict) and not IN_CALL & said.keys():
        below = [(index, call) for index, call in said.items() if isinstance(call, dict)]
        said = [{"index": index, **call} for index, call in below] or said
    calls = said if isinstance(said, list) else [said]
    return [read_call(call) for call in calls if isinstance(call, dict) and call]


def read_call(said: dict[str, Any]) -> WireCall:
    """A fragment of a tool call."""
    function = said.get("function")
    return WireCall(
        index=count_of(said.get("index")),
        id=name_of(said.get("id")),
        function=read_function(function if isinstance(function, dict) else said),
        extra_content=object_of(said.get("extra_content")),
    )


def read_function(said: dict[str, Any]) -> WireFunction:
    """The name of the function and the arguments."""
    arguments = first_of(said, ("arguments", "input", "parameters"))
    return WireFunction(name_of(said.get("name")), arguments_of(arguments))
