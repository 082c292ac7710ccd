"""Who may see what of a run: one rule for streams, snapshots and history alike."""

from typing import Any

import msgspec

ALWAYS_HIDDEN = frozenset({"step"})
TOOL_EVENTS = frozenset({"tool_call", "tool_result", "sources"})


class Visibility(msgspec.Struct, frozen=True):
    """What one watcher gets: event types in `hidden` are left out, and so are their traces in a
    message object."""

    hidden: frozenset[str]

    def message(self, message: dict[str, Any]) -> dict[str, Any]:
        """The message object of a history or snapshot without what this watcher may not see."""
        shown = dict(message)
        if "thinking" in self.hidden:
            shown.pop("thinking", None)
        if "tool_call" in self.hidden:
            shown["tools"], shown["sources"] = [], []
        return shown


def visible(
    *, trusted: bool, show_thinking: bool, show_tools: bool, deltas: bool = False
) -> Visibility:
    """API keys and members (`trusted`) see all; visitors what the agent exposes.

    Raw fragments of tool calls only for watchers that asked (`deltas`)."""
    hidden = set(ALWAYS_HIDDEN)
    if not (trusted or show_thinking):
        hidden.add("thinking")
    if not (trusted or show_tools):
        hidden |= TOOL_EVENTS | {"tool_call_delta"}
    if not deltas:
        hidden.add("tool_call_delta")
    return Visibility(frozenset(hidden))
