"""What servers of Chat Completions refuse, as far as a client of ours could get it wrong."""

from base64 import b64decode
from typing import Any

from tests.upstream.rules import Refused

KNOWN = {"model", "messages", "max_tokens", "max_completion_tokens", "stream", "stream_options"}
KNOWN |= {"tools", "tool_choice", "parallel_tool_calls", "temperature", "top_p", "stop", "seed"}
KNOWN |= {"frequency_penalty", "presence_penalty", "reasoning_effort", "response_format", "user"}


def check(headers: dict[str, str], body: dict[str, Any]) -> None:
    """Raise `Refused` for what a real server would not take."""
    if not headers.get("authorization", "").removeprefix("Bearer "):
        raise Refused("You didn't provide an API key.", 401, "authentication_error")
    if unknown := set(body) - KNOWN:
        raise Refused(f"Unrecognized request argument supplied: {sorted(unknown)[0]}")
    if {"max_tokens", "max_completion_tokens"} <= body.keys():
        raise Refused("max_tokens and max_completion_tokens cannot both be set.")
    if body.get("stream") is not True:
        raise Refused("this server only streams")
    if "parallel_tool_calls" in body and not body.get("tools"):
        raise Refused("'parallel_tool_calls' is only allowed when 'tools' are specified.")
    check_messages(body.get("messages") or [])


def check_messages(messages: list[dict[str, Any]]) -> None:
    if not any(message["role"] == "user" for message in messages):
        raise Refused("messages: there is none of a user")
    open_calls: set[str] = set()
    for message in messages:
        role = message["role"]
        if role == "tool":
            if message["tool_call_id"] not in open_calls:
                raise Refused("messages with role 'tool' must follow one with their 'tool_calls'")
            open_calls.remove(message["tool_call_id"])
        elif open_calls:
            raise Refused(f"tool_call_ids without response messages: {sorted(open_calls)}")
        elif role not in ("system", "user", "assistant"):
            raise Refused(f"unknown role {role}")
        calls = message.get("tool_calls", [])
        if not isinstance(message["content"], str) and not calls:
            check_parts(role, message["content"])
        open_calls |= {call["id"] for call in calls}
    if open_calls:
        raise Refused(f"tool_call_ids without response messages: {sorted(open_calls)}")


def check_parts(role: str, parts: Any) -> None:
    """A user's content may be a list of parts, each in the form of its type."""
    if role != "user" or not isinstance(parts, list) or not parts:
        raise Refused("messages: content is missing")
    for part in parts:
        match part:
            case {"type": "text", "text": str()}:
                pass
            case {"type": "image_url", "image_url": {"url": str(url)}}:
                _check_data(url, "data:image/")
            case {"type": "file", "file": {"filename": str(), "file_data": str(url)}}:
                _check_data(url, "data:application/pdf;")
            case _:
                raise Refused(f"messages: content: unknown part {part.get('type')}")


def _check_data(url: str, kind: str) -> None:
    if not url.startswith(kind) or not b64decode(url.partition(";base64,")[2], validate=True):
        raise Refused("messages: content: no data URL of this type")
