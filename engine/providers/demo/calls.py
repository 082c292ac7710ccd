"""The tool calls of the demo provider, and what it says of their results."""

import re
from typing import Any

import msgspec

from engine.events import ASK_USER
from engine.providers.base import Delta, ToolDelta, ToolRequest
from engine.request import ModelRequest, Turn, call_block

DIRECTIVE = re.compile(r"^/(tool|approve|ask|sources)\b[ \t]*(.*)$", re.MULTILINE)
CALL = re.compile(r"(\S+)\s*(.*)", re.DOTALL)

CLOCK, CALCULATOR, SEARCH = "current_time", "calculator", "search_knowledge"
SUM = "6 * 7"
QUESTION, CHOICES = "Which colour do you like best?", ["Red", "Green", "Blue"]
TOPIC = "refund"


def read_calls(message: str) -> list[ToolRequest]:
    """The tool calls that the user's message asks for, in the order of its lines."""
    found = [_call(name, argument.strip()) for name, argument in DIRECTIVE.findall(message)]
    return [ToolRequest(f"call_{n}", name, args) for n, (name, args) in enumerate(found)]


def _call(directive: str, argument: str) -> tuple[str, dict[str, Any]]:
    """The tool of a directive, and its arguments."""
    match directive:
        case "approve":
            return CALCULATOR, {"expression": argument or SUM}
        case "ask":
            return ASK_USER, {"text": argument or QUESTION} | ({} if argument else _CHOICES)
        case "sources":
            return SEARCH, {"query": argument or TOPIC}
    named = CALL.match(argument)
    return (named[1], _object(named[2])) if named else (CLOCK, {})


_CHOICES = {"choices": CHOICES}


def _object(text: str) -> dict[str, Any]:
    """The JSON object that the text is; an empty one for any other text."""
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.MsgspecError:
        return {}


def deltas_of(calls: list[ToolRequest]) -> list[Delta]:
    """The calls as a provider streams them: fragments first, then each call as a whole."""
    found: list[Delta] = []
    for index, call in enumerate(calls):
        arguments = msgspec.json.encode(call.args).decode()
        found.append(ToolDelta(index, arguments, id=call.id, name=call.name))
        found.append(call)
    return found


def blocks_of(calls: list[ToolRequest]) -> list[dict[str, Any]]:
    """The calls as blocks of the assistant's turn."""
    return [call_block(call.id, call.name, call.args) for call in calls]


def question_of(request: ModelRequest) -> str:
    """The text of the user that is to be answered: the last one that is no result of a tool."""
    asked = (turn for turn in reversed(request.turns) if turn.role == "user" and turn.content)
    return next((turn.content for turn in asked), "")


def report_of(turns: list[Turn]) -> str:
    """The answer that tells the results of the last step's tools; empty if it had no tools.

    `turns` are all of a request."""
    results = _results(turns)
    names = {
        block["id"]: block["name"]
        for turn in turns
        for block in turn.blocks
        if block.get("type") == "tool_use"
    }
    told = [_told(names.get(block["tool_use_id"], "?"), block) for block in results]
    return "\n\n".join(told)


def _results(turns: list[Turn]) -> list[dict[str, Any]]:
    """The result blocks since the last turn of the assistant."""
    found: list[dict[str, Any]] = []
    for turn in reversed(turns):
        if turn.role == "assistant":
            break
        found = [b for b in turn.blocks if b.get("type") == "tool_result"] + found
    return found


def _told(name: str, block: dict[str, Any]) -> str:
    verb = "could not be used" if block.get("is_error") else "answered"
    fence = "~" * 3
    return f"The tool `{name}` {verb}:\n\n{fence}\n{block['content']}\n{fence}"
