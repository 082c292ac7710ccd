"""What the real API refuses, as far as a client of ours could get it wrong."""

import re
from typing import Any

TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
KNOWN = {"model", "messages", "max_tokens", "stream", "system", "thinking", "tools", "tool_choice"}
KNOWN |= {"metadata", "stop_sequences", "temperature", "top_p", "top_k", "service_tier"}
KNOWN |= {"output_config", "cache_control", "container"}


class Refused(Exception):
    """The request is refused; the message says why."""

    def __init__(self, message: str, status: int = 400, type: str = "invalid_request_error"):
        super().__init__(message)
        self.status, self.type = status, type


def check(headers: dict[str, str], body: dict[str, Any]) -> None:
    """Raise `Refused` for what the real API would not take."""
    key = headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ")
    if not key:
        raise Refused("x-api-key header is required", 401, "authentication_error")
    if "anthropic-version" not in headers:
        raise Refused("anthropic-version: header is required")
    if unknown := set(body) - KNOWN:
        raise Refused(f"{sorted(unknown)[0]}: Extra inputs are not permitted")
    if not isinstance(body.get("max_tokens"), int):
        raise Refused("max_tokens: Field required")
    if body.get("system") == "":
        raise Refused("system: text content blocks must be non-empty")
    if body.get("stream") is not True:
        raise Refused("this server only streams")
    for tool in body.get("tools", []):
        if not TOOL_NAME.fullmatch(tool["name"]) or tool["input_schema"].get("type") != "object":
            raise Refused("tools.0: is no tool")
    check_messages(body.get("messages") or [])


def calls_of(message: dict[str, Any]) -> list[str]:
    """The ids of its tool calls."""
    content = message["content"]
    blocks = [] if isinstance(content, str) else content
    return [block["id"] for block in blocks if block["type"] == "tool_use"]


def check_messages(messages: list[dict[str, Any]]) -> None:
    if not messages or messages[0]["role"] != "user":
        raise Refused("messages: first message must use the user role")
    calls: set[str] = set()
    seen: list[str] = []
    for message in messages:
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        if not blocks or any(b["type"] == "text" and not b["text"].strip() for b in blocks):
            raise Refused("messages: text content blocks must be non-empty")
        results = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
        if calls - set(results):
            raise Refused("messages: tool_use ids were found without tool_result blocks after")
        if set(results) - calls or len(results) > len(calls):
            raise Refused("messages: unexpected tool_use_id found in tool_result blocks")
        if any(block["type"] != "tool_result" for block in blocks[: len(results)]):
            raise Refused("messages: tool_result blocks must come first")
        if any(b.get("is_error") and not b["content"] for b in blocks):
            raise Refused("messages: tool_result: content cannot be empty if `is_error` is true")
        if any(block["type"] == "thinking" and not block.get("signature") for block in blocks):
            raise Refused("messages: thinking.signature: Field required")
        ids = calls_of(message)
        if len({*ids, *seen}) < len(ids) + len(seen):
            raise Refused("messages: `tool_use` ids must be unique")
        seen, calls = seen + ids, set(ids)
