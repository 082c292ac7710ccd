"""The Messages API on the wire: a request's body, and the types of an answer's events.

https://platform.claude.com/docs/en/build-with-claude/streaming (read 2026-11)
"""

from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from engine.request import ModelRequest, Turn

VERSION = "2026-10-21"


def encode_request(request: ModelRequest) -> dict[str, Any]:
    """The body of `POST /v1/messages`. `parameters` add to it."""
    body: dict[str, Any] = {"max_tokens": request.max_tokens}
    if request.thinking:
        body["thinking"] = {"type": "adaptive", "display": "summarized"}
    body |= request.parameters
    body |= {"model": request.model, "stream": True}
    body["messages"] = [encode_turn(turn) for turn in request.turns]
    if request.instructions:
        body["system"] = request.instructions
    if request.tools:
        body["tools"] = [msgspec.to_builtins(tool) for tool in request.tools]
    return body


def encode_turn(turn: Turn) -> dict[str, Any]:
    """Blocks where there are any: they hold the text too."""
    return {"role": turn.role, "content": turn.blocks or turn.content}


Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, lt=2**31)] | None
"""Somebody pays for these: a negative or absurd one is a malformed answer."""


class WireDetails(msgspec.Struct):
    """What of the output nobody saw."""

    thinking_tokens: Count = None


class WireUsage(msgspec.Struct):
    """Cumulative; what is absent or null keeps its last value."""

    input_tokens: Count = None
    output_tokens: Count = None
    cache_read_input_tokens: Count = None
    cache_creation_input_tokens: Count = None
    output_tokens_details: WireDetails | None = None


class WireMessage(msgspec.Struct):
    """The message as `message_start` has it."""

    usage: WireUsage = msgspec.field(default_factory=WireUsage)


class WireDelta(msgspec.Struct, gc=False):
    """All kinds of delta in one: cheaper to decode than a union, and open to unknown kinds."""

    type: str = ""
    text: str = ""
    thinking: str = ""
    signature: str = ""
    partial_json: str = ""
    stop_reason: str | None = None


class WireError(msgspec.Struct):
    """Why the server gave up in the middle."""

    type: str = ""
    message: str = ""


class WireBlock(msgspec.Struct):
    """What we use of a content block as it starts; the rest is kept and sent back unseen."""

    type: str
    text: str = ""
    thinking: str = ""
    signature: str | None = None
    id: str = ""
    name: str = ""
    input: dict[str, Any] | None = None


class WireEvent(msgspec.Struct, gc=False):
    """All kinds of event in one."""

    type: str
    index: int = -1
    delta: WireDelta | None = None
    content_block: dict[str, Any] | None = None
    message: WireMessage | None = None
    usage: WireUsage | None = None
    error: WireError | None = None


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
