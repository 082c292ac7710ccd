"""The wire format of Chat Completions: a request's body, and the types of an answer's chunks.

https://platform.openai.com/docs/api-reference/chat (read 2026-11), and what its speakers make of
it: Ollama, vLLM and llama.cpp name the thinking `reasoning` or `reasoning_content`; Google leaves
out the `index` of tool calls and wants their `extra_content` back.
"""

from base64 import b64decode
from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from engine.providers.server.schema import accepted
from engine.providers.server.turns import sound
from engine.request import ModelRequest, ToolSpec, Turn

Object: TypeAlias = dict[str, Any]


def encode_request(request: ModelRequest, limit_field: str) -> Object:
    """The body of `POST /chat/completions`. `parameters` add to it.

    `limit_field` is this server's name for the longest answer."""
    body: Object = {limit_field: request.max_tokens}
    if request.thinking:
        body["reasoning_effort"] = "medium"
    body |= request.parameters
    body |= {"model": request.model, "stream": True, "stream_options": {"include_usage": True}}
    body["messages"] = encode_messages(request)
    if request.tools:
        body["tools"] = [encode_tool(tool) for tool in request.tools]
    else:
        body.pop("parallel_tool_calls", None)  # refused where there are no tools
    return body


def encode_messages(request: ModelRequest) -> list[Object]:
    """The instructions and the turns; one turn with tool results is several messages."""
    messages: list[Object] = []
    if request.instructions:
        messages.append({"role": "system", "content": request.instructions})
    for turn in sound(request.turns):
        if not turn.blocks:
            messages.append({"role": turn.role, "content": turn.content})
        elif turn.role == "assistant":
            messages.append(encode_assistant(turn))
        else:
            messages += [encode_result(block) for block in of_type("tool_result", turn)]
            text = "\n\n".join(block["text"] for block in of_type("text", turn))
            if files := [encode_file(block) for block in of_type("file", turn)]:
                parts = [*files, {"type": "text", "text": text}]
                messages.append({"role": "user", "content": parts})
            elif text:
                messages.append({"role": "user", "content": text})
    return messages


def encode_assistant(turn: Turn) -> Object:
    """A turn with tool calls, in the blocks that our decoder made of it.

    The thinking goes back under the name by which it came, since that server takes it."""
    text = "".join(block["text"] for block in of_type("text", turn))
    message: Object = {"role": "assistant", "content": text or None}
    for block in of_type("thinking", turn):
        if field := block.get("field"):
            message[field] = block["thinking"]
    if calls := [encode_call(block) for block in of_type("tool_use", turn)]:
        message["tool_calls"] = calls
    return message


def encode_file(block: Object) -> Object:
    """A file as a part of the user's message; a text is told with its name
    (https://platform.openai.com/docs/guides/pdf-files, read 2026-11)."""
    kind, data = block["media_type"], block["data"]
    if kind == "text/plain":
        return {"type": "text", "text": f"{block['name']}:\n{b64decode(data).decode()}"}
    url = f"data:{kind};base64,{data}"
    if kind.startswith("image/"):
        return {"type": "image_url", "image_url": {"url": url}}
    return {"type": "file", "file": {"filename": block["name"], "file_data": url}}


def encode_call(block: Object) -> Object:
    """A tool call of the model."""
    arguments = msgspec.json.encode(block["input"]).decode()
    function = {"name": block["name"], "arguments": arguments}
    call = {"id": block["id"], "type": "function", "function": function}
    extra = block.get("extra_content")
    return call | {"extra_content": extra} if extra else call


def encode_result(block: Object) -> Object:
    """The result of a tool. The API has no field for errors, so an error says so in its text."""
    content = f"Error: {block['content']}" if block.get("is_error") else block["content"]
    return {"role": "tool", "tool_call_id": block["tool_use_id"], "content": content}


def encode_tool(tool: ToolSpec) -> Object:
    """A tool that the model may call."""
    function = {"name": tool.name, "description": tool.description}
    return {"type": "function", "function": function | {"parameters": accepted(tool.input_schema)}}


def of_type(kind: str, turn: Turn) -> list[Object]:
    """The turn's blocks of one type."""
    return [block for block in turn.blocks if block["type"] == kind]


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
    name: str | None = None
    """This and the arguments belong into `function`, but some servers leave that out."""
    arguments: str | None = None


class WireDelta(msgspec.Struct, gc=False):
    """A piece of the message, or all of it."""

    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    thinking: str | None = None
    """Thinking in a form that no field of a request takes back."""
    reasoning_details: Any = None
    """Parts, beside `reasoning` or in its place (OpenRouter)."""
    refusal: str | None = None
    tool_calls: list[WireCall] | None = None
    function_call: WireFunction | None = None
    """The only call, as it was before there were several."""
    finish_reason: str | None = None
    """Belongs into the choice, but some servers put it here, or beside the choices."""


class WireChoice(msgspec.Struct, gc=False):
    """A piece of one answer: we ask for one only.

    A server that does not stream sends a `message`; a very old one `text`."""

    index: int = 0
    delta: WireDelta | None = None
    finish_reason: str | None = None
    message: WireDelta | None = None
    text: str | None = None
    usage: Any = None
    """This and the error belong beside the choices, but some servers put them here."""
    error: Any = None


class WireChunk(msgspec.Struct, gc=False):
    """One event."""

    choices: list[WireChoice] | None = None
    usage: Any = None
    """Cumulative; usually once, in a last chunk without choices."""
    error: Any = None
    finish_reason: str | None = None


Nothing: TypeAlias = Literal[""] | None


class WireTextDelta(msgspec.Struct, gc=False):
    """A piece of the message that is text, and only that."""

    content: str
    reasoning_content: Nothing = None
    reasoning: Nothing = None
    thinking: Nothing = None
    refusal: Nothing = None
    tool_calls: None = None
    function_call: None = None
    finish_reason: None = None


class WireTextChoice(msgspec.Struct, gc=False):
    """A piece of the answer that is text, and only that."""

    delta: WireTextDelta
    index: Literal[0] = 0
    finish_reason: None = None
    message: None = None
    usage: None = None
    error: None = None


class WireText(msgspec.Struct, gc=False):
    """The event of a piece of text, and only that."""

    choices: Annotated[list[WireTextChoice], msgspec.Meta(min_length=1, max_length=1)]
    usage: None = None
    error: None = None
    finish_reason: None = None


decode_chunk = msgspec.json.Decoder(WireChunk).decode
