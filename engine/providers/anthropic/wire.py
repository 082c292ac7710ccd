"""The wire format of the Messages API: a request's body, and the types of an answer's events.

https://platform.claude.com/docs/en/build-with-claude/streaming (read 2026-11)
"""

from base64 import b64decode
from typing import Any, Literal

import msgspec

from engine.providers.server.schema import accepted
from engine.providers.server.turns import sound
from engine.request import ModelRequest, ToolSpec, Turn

VERSION = "2026-10-21"


def encode_request(request: ModelRequest) -> dict[str, Any]:
    """The body of `POST /v1/messages`. `parameters` add to it."""
    body: dict[str, Any] = {"max_tokens": request.max_tokens}
    if request.thinking:
        body["thinking"] = {"type": "adaptive", "display": "summarized"}
    body |= request.parameters
    body |= {"model": request.model, "stream": True}
    body["messages"] = encode_turns(request.turns)
    if request.instructions:
        body["system"] = request.instructions
    if request.tools:
        body["tools"] = [encode_tool(tool) for tool in request.tools]
    return body


def encode_turns(turns: list[Turn]) -> list[dict[str, Any]]:
    """The conversation. An assistant's turn at its end is one that the model continues: the API
    refuses white space at its end."""
    messages = [encode_turn(turn) for turn in sound(turns)]
    if messages and messages[-1]["role"] == "assistant":
        messages[-1]["content"] = _without_end(messages[-1]["content"])
    return messages


def encode_turn(turn: Turn) -> dict[str, Any]:
    """The turn's blocks if it has any, since they hold the text too; else its text."""
    content = [encode_file(each) if each["type"] == "file" else each for each in turn.blocks]
    return {"role": turn.role, "content": content or turn.content}


def encode_file(block: dict[str, Any]) -> dict[str, Any]:
    """A file: an image, or a document with its name
    (https://platform.claude.com/docs/en/build-with-claude/pdf-support, read 2026-11)."""
    kind, data = block["media_type"], block["data"]
    source = {"type": "base64", "media_type": kind, "data": data}
    if kind.startswith("image/"):
        return {"type": "image", "source": source}
    if kind == "text/plain":
        source = {"type": "text", "media_type": kind, "data": b64decode(data).decode()}
    return {"type": "document", "source": source, "title": block["name"]}


def _without_end(content: str | list[dict[str, Any]]) -> str | list[dict[str, Any]]:
    if isinstance(content, str):
        return content.rstrip()
    *before, last = content
    return [*before, {**last, "text": last["text"].rstrip()} if last["type"] == "text" else last]


def encode_tool(tool: ToolSpec) -> dict[str, Any]:
    """A tool that the model may call."""
    return {
        "name": tool.name,
        "description": tool.description,
        "input_schema": accepted(tool.input_schema),
    }


class WireMessage(msgspec.Struct):
    """The message as `message_start` has it; a server that does not stream has all of it there."""

    usage: Any = None
    content: list[Any] = []
    stop_reason: str | None = None


class WireDelta(msgspec.Struct, gc=False):
    """All kinds of delta in one: cheaper to decode than a union, and open to unknown kinds."""

    type: str = ""
    text: str = ""
    thinking: str = ""
    signature: str = ""
    partial_json: str = ""
    stop_reason: str | None = None
    usage: Any = None


class WireBlock(msgspec.Struct):
    """The fields of a content block's start that we use; the rest is kept and sent back unseen."""

    type: str
    text: str
    thinking: str
    signature: str
    id: str
    name: str
    input: str


class WireEvent(msgspec.Struct, gc=False):
    """All kinds of event in one."""

    type: str
    index: int = -1
    delta: WireDelta | None = None
    content_block: dict[str, Any] | None = None
    message: WireMessage | None = None
    stop_reason: str | None = None
    """Belongs into `delta`, as `usage` belongs beside it, but some relays change their places."""
    usage: Any = None
    """Cumulative; absent and null fields keep their last value."""
    error: Any = None


class WireTextDelta(msgspec.Struct, gc=False):
    """A piece of text, and only that."""

    type: Literal["text_delta"]
    text: str


class WireText(msgspec.Struct, gc=False):
    """The event of a piece of text, and only that."""

    type: Literal["content_block_delta"]
    index: int
    delta: WireTextDelta


decode_event = msgspec.json.Decoder(WireEvent).decode
