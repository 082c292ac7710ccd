"""The parts of a run that a watcher may see: one rule for streams, snapshots and history."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from engine.events import ASK_USER, INTERNAL, Pending
from engine.transcript import ToolUse
from wire.frames import Snapshot
from wire.objects.conversations import Message, Run, WaitingRun

USAGE_EVENTS = frozenset({"usage"})
USAGE_FIELDS = ("provider", "model", "usage", "cost")
"""The fields of an event about the model, its tokens and their price."""
USAGE_METRICS = ("tokenCount", "tokensPerSecond")
"""The same fields of an event's `metrics`."""
WITH_USAGE = frozenset({"run_started", "message_complete", "cancelled", "error", "done"})
TOOL_EVENTS = frozenset({"tool_call", "tool_result"})

AWAITING = {"type": "status", "message": "Waiting for approval...", "stage": "approval"}
"""The part of an approval that a visitor sees if it is not for visitors."""
STANDING = "standing"
"""The kind of decision whose `id` a visitor may see: it may be theirs to revoke."""
IDS = ("runId", "conversationId", "messageId", "seq")

Fields: TypeAlias = dict[str, Any]
Rewrite: TypeAlias = Callable[[Fields], Fields | None]
"""Makes a decoded event what a watcher may see of it; None for nothing."""


class Visibility(msgspec.Struct, frozen=True):
    """One watcher's view. Events of the types in `hidden` are left out, those in `rewrites` are
    changed, and so is what they leave in a message."""

    hidden: frozenset[str]
    rewrites: Mapping[str, Rewrite] = {}
    trusted: bool = True
    tools: bool = True
    usage: bool = True

    def event(self, type_: str, data: bytes) -> bytes | None:
        """The part of an event that this watcher may see, if its type is in `rewrites`."""
        event = self.rewrites[type_](msgspec.json.decode(data))
        return None if event is None else msgspec.json.encode(event)

    def run(self, run: Run) -> Run:
        """The run without what this watcher may not see."""
        run = replace(run, pending=self.pending(run.pending))
        return run if self.usage else replace(run, provider=UNSET, model=UNSET, usage=None)

    def waiting(self, run: WaitingRun) -> WaitingRun:
        """The run without what this watcher may not see."""
        return replace(run, pending=self.pending(run.pending))

    def message(self, message: Message) -> Message:
        """The message without what this watcher may not see."""
        changed: Fields = {}
        if "thinking" in self.hidden:
            changed["thinking"] = UNSET
        if not self.tools:
            changed["sources"] = []
        if not self.trusted:
            shown = [tool for tool in message.tools if self.tools or _of_client(tool)]
            changed["tools"] = [_without_decider(tool) for tool in shown]
        if not self.usage:
            changed["usage"] = None
        return replace(message, **changed) if changed else message

    def snapshot(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot without what this watcher may not see."""
        pending, message = self.pending(snapshot.pending), self.message(snapshot.message)
        return replace(snapshot, pending=pending, message=message)

    def pending(self, pending: list[Pending]) -> list[Pending]:
        """The calls that wait without those that this watcher may not see: visitors get what they
        may decide."""
        if self.trusted:
            return pending
        return [call for call in pending if call.approvers != "members"]


def visible(
    *,
    trusted: bool,
    show_thinking: bool,
    show_tools: bool,
    show_usage: bool = False,
    deltas: bool = False,
) -> Visibility:
    """API keys (`trusted`) see everything, visitors see what the agent shows them, and what they
    may decide.

    The raw fragments of tool calls come only with `deltas`."""
    usage, tools = trusted or show_usage, trusted or show_tools
    hidden, rewrites = set(INTERNAL), dict[str, Rewrite]()
    if not (trusted or show_thinking):
        hidden.add("thinking")
    if not (deltas and tools):
        hidden.add("tool_call_delta")
    if not tools:
        hidden.add("sources")
        rewrites |= dict.fromkeys(TOOL_EVENTS, _for_client)
    if not trusted:
        rewrites |= {
            "approval_required": _approval_required,
            "approval_decided": _approval_decided,
        }
    if not usage:
        hidden |= USAGE_EVENTS
        rewrites |= dict.fromkeys(WITH_USAGE, _without_usage)
    return Visibility(frozenset(hidden), rewrites, trusted=trusted, tools=tools, usage=usage)


def _without_usage(event: Fields) -> Fields:
    for field in USAGE_FIELDS:
        event.pop(field, None)
    for field in USAGE_METRICS:
        event.get("metrics", {}).pop(field, None)
    return event


def _of_client(tool: ToolUse) -> bool:
    return tool.client is True or tool.tool == ASK_USER


def _for_client(event: Fields) -> Fields | None:
    """A tool's call or result, if the client has to do with it."""
    return event if event.get("client") or event.get("tool") == ASK_USER else None


def _approval_required(event: Fields) -> Fields:
    if event["approvers"] == "visitor":
        return event
    return AWAITING | {name: event[name] for name in IDS}


def _approval_decided(event: Fields) -> Fields | None:
    if event["approvers"] != "visitor":
        return None
    by = event["by"]
    return event if by["kind"] == STANDING else event | {"by": {"kind": by["kind"]}}


def _without_decider(tool: ToolUse) -> ToolUse:
    if tool.approval is UNSET or tool.approval.by.kind == STANDING:
        return tool
    approval = tool.approval
    return replace(tool, approval=replace(approval, by=replace(approval.by, id=None)))


EVERYTHING = visible(trusted=True, show_thinking=True, show_tools=True)
"""The organisation's own view."""
SHARED = visible(trusted=False, show_thinking=False, show_tools=False)
"""The view of somebody who is shown what was said, and no more."""
