"""Chat Completions on the wire: a request's body, and the types of an answer's chunks.

https://platform.openai.com/docs/api-reference/chat (read 2026-11), and what its speakers make of
it: Ollama, vLLM and llama.cpp name the thinking `reasoning` or `reasoning_content`; Google leaves
out the `index` of tool calls and wants their `extra_content` back.
"""

from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from engine.request import ModelRequest, ToolSpec, Turn

Object: TypeAlias = dict[str, Any]


def encode_request(request: ModelRequest, limit_field: str) -> Object:
    """The body of `POST /chat/completions`. `parameters` add to it.

    `limit_field` is what this server calls the longest answer."""
    body: Object = {limit_field: request.max_tokens}
    if request.thinking:
        body["reasoning_effort"] = "medium"
    body |= request.parameters
    body |= {"model": request.model, "stream": True, "stream_options": {"include_usage": True}}
    body["messages"] = encode_messages(request)
    if request.tools:
        body["tools"] = [encode_tool(tool) for tool in request.tools]
    return body


def encode_messages(request: ModelRequest) -> list[Object]:
    """The instructions and the turns; one turn with tool results is several messages."""
    messages: list[Object] = []
    if request.instructions:
        messages.append({"role": "system", "content": request.instructions})
    for turn in request.turns:
        if not turn.blocks:
            messages.append({"role": turn.role, "content": turn.content})
        elif turn.role == "assistant":
            messages.append(encode_assistant(turn))
        else:
            messages += [encode_result(block) for block in of_type("tool_result", turn)]
    return messages


def encode_assistant(turn: Turn) -> Object:
    """A turn with tool calls, in the blocks that our decoder made of it.

    The thinking goes back under the name by which it came: to a server that takes it."""
    text = "".join(block["text"] for block in of_type("text", turn))
    message: Object = {"role": "assistant", "content": text or None}
    for block in of_type("thinking", turn):
        message[block["field"]] = block["thinking"]
    if calls := [encode_call(block) for block in of_type("tool_use", turn)]:
        message["tool_calls"] = calls
    return message


def encode_call(block: Object) -> Object:
    """A tool call of the model."""
    arguments = msgspec.json.encode(block["input"]).decode()
    function = {"name": block["name"], "arguments": arguments}
    call = {"id": block["id"], "type": "function", "function": function}
    extra = block.get("extra_content")
    return call | {"extra_content": extra} if extra else call


def encode_result(block: Object) -> Object:
    """What a tool brought; the API has no place for whether that is an error."""
    content = f"Error: {block['content']}" if block.get("is_error") else block["content"]
    return {"role": "tool", "tool_call_id": block["tool_use_id"], "content": content}


def encode_tool(tool: ToolSpec) -> Object:
    """A tool that the model may call."""
    function = {"name": tool.name, "description": tool.description}
    return {"type": "function", "function": function | {"parameters": tool.input_schema}}


def of_type(kind: str, turn: Turn) -> list[Object]:
    """The turn's blocks of one type."""
    return [block for block in turn.blocks if block["type"] == kind]


Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, lt=2**31)] | None
"""Somebody pays for these: a negative or absurd one is a malformed answer."""


class WireInput(msgspec.Struct):
    """What of the input was cheaper."""

    cached_tokens: Count = None


class WireOutput(msgspec.Struct):
    """What of the output nobody saw."""

    reasoning_tokens: Count = None


class WireUsage(msgspec.Struct):
    """Cumulative; usually once, in a last chunk without choices."""

    prompt_tokens: Count = None
    completion_tokens: Count = None
    total_tokens: Count = None
    prompt_tokens_details: WireInput | None = None
    completion_tokens_details: WireOutput | None = None


class WireFunction(msgspec.Struct):
    """A fragment of a call; the name comes with the first."""

    name: str | None = None
    arguments: str | None = None


class WireCall(msgspec.Struct):
    """A fragment of a tool call."""

    index: int | None = None
    id: str | None = None
    function: WireFunction | None = None
    extra_content: dict[str, Any] | None = None


class WireDelta(msgspec.Struct, gc=False):
    """A piece of the message."""

    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: list[WireCall] | None = None


class WireChoice(msgspec.Struct, gc=False):
    """A piece of one answer: we ask for one only."""

    index: int = 0
    delta: WireDelta | None = None
    finish_reason: str | None = None


class WireError(msgspec.Struct):
    """Why the server gave up in the middle; `code` may be an HTTP status."""

    message: str = ""
    type: str | None = None
    code: int | str | None = None


class WireChunk(msgspec.Struct, gc=False):
    """One event."""

    choices: list[WireChoice] | None = None
    usage: WireUsage | None = None
    error: WireError | str | None = None


Nothing: TypeAlias = Literal[""] | None


class WireTextDelta(msgspec.Struct, gc=False):
    """A piece of the message that is text, and only that."""

    content: str
    reasoning_content: Nothing = None
    reasoning: Nothing = None
    refusal: Nothing = None
    tool_calls: None = None


class WireTextChoice(msgspec.Struct, gc=False):
    """A piece of the answer that is text, and only that."""

    delta: WireTextDelta
    index: Literal[0] = 0
    finish_reason: None = None


class WireText(msgspec.Struct, gc=False):
    """The event of a piece of text, and only that."""

    choices: Annotated[list[WireTextChoice], msgspec.Meta(min_length=1, max_length=1)]
    usage: None = None
    error: None = None


decode_chunk = msgspec.json.Decoder(WireChunk).decode
