"""Reads events of the Messages API whose fields have other types than the API says."""

from typing import Any

from engine.providers.anthropic.wire import WireBlock, WireDelta, WireEvent, WireMessage
from engine.providers.server.lenient import arguments_of, count_of, name_of, object_of, text_of
from engine.providers.server.reasons import read_reason
from engine.providers.server.refusals.complaints import says
from engine.text import clean


def read_event(said: dict[str, Any], name: str) -> WireEvent:
    """One event. `name` is the stream's name for it, for events without a type."""
    kind = name_of(said.get("type")) or name
    index = count_of(said.get("index"))
    message = said if kind == "message" else said.get("message")
    block, delta, error = said.get("content_block"), said.get("delta"), said.get("error")
    if delta is None and kind == "content_block_delta":  # its fields stand beside it
        delta = {**said, "type": None}
    if kind == "error" and not says(error):
        error = said
    return WireEvent(
        type=kind,
        index=-1 if index is None else index,
        delta=read_delta(delta),
        content_block=object_of(block)
        or ({"type": "text", "text": text_of(block)} if block else None),
        message=read_message(message),
        stop_reason=read_reason(said.get("stop_reason")),
        usage=said.get("usage"),
        error=error,
    )


def read_delta(said: Any) -> WireDelta | None:
    """All kinds of delta; the text alone may stand for it."""
    if not isinstance(said, dict):
        return WireDelta(text=text_of(said)) if said else None
    return WireDelta(
        type=name_of(said.get("type")) or "",
        text=text_of(said.get("text")) or text_of(said.get("content")),
        thinking=text_of(said.get("thinking")),
        signature=name_of(said.get("signature")) or "",
        partial_json=arguments_of(said.get("partial_json")) or "",
        stop_reason=read_reason(said.get("stop_reason")),
        usage=said.get("usage"),
    )


def read_message(said: Any) -> WireMessage | None:
    """The message as it begins, or all of it at once."""
    if not isinstance(said, dict):
        return None
    content = said.get("content")
    if isinstance(content, str | dict):
        content = [content]
    return WireMessage(
        usage=said.get("usage"),
        content=clean(content) if isinstance(content, list) else [],
        stop_reason=read_reason(said.get("stop_reason")),
    )


def read_block(fields: dict[str, Any]) -> WireBlock:
    """The fields of a content block's start that we use."""
    return WireBlock(
        type=name_of(fields.get("type")) or "",
        text=text_of(fields.get("text")),
        thinking=text_of(fields.get("thinking")),
        signature=name_of(fields.get("signature")) or "",
        id=name_of(fields.get("id")) or "",
        name=name_of(fields.get("name")) or "",
        input=arguments_of(fields.get("input")) or "",
    )
