"""One answer: what its events add up to."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, TypeAlias

from clawsite_client.errors import ClawError

Event: TypeAlias = dict[str, Any]
"""An event as the server's docs/protocol.md describes it."""


@dataclass(frozen=True)
class Reply:
    """A whole answer. `usage` is None for a visitor, unless the agent shows it."""

    content: str
    conversation_id: str
    message_id: str
    run_id: str
    stop_reason: str
    usage: dict[str, Any] | None


class Answer:
    """An answer that is coming. An event that came before changes nothing."""

    def __init__(self) -> None:
        self.run_id = self.conversation_id = self.message_id = ""
        self.text = ""
        self.seq = 0
        self.done = False
        self.outcome: Event = {}

    def add(self, event: Event) -> bool:
        """Whether the event is new. Raises ClawError `corrupted` if the end does not fit the
        text."""
        if event["type"] == "snapshot":
            self._replace(event)
            return True
        if event["seq"] <= self.seq:
            return False
        self.seq = event["seq"]
        self.run_id = event["runId"]
        match event["type"]:
            case "run_started":
                self.conversation_id = event["conversationId"]
                self.message_id = event["messageId"]
            case "token":
                self.text += event["content"]
            case "message_complete" | "cancelled" | "error":
                self.outcome = event
            case "done":
                self.done = True
                self._check(event)
        return True

    def reply(self) -> Reply:
        """The whole answer. Raises the error of one that failed, and `cancelled` for one that
        somebody has stopped."""
        outcome = self.outcome
        if outcome.get("type") == "error":
            seconds = outcome["retryAfter"] / 1000 if "retryAfter" in outcome else None
            details = {"runId": self.run_id, "content": self.text}
            raise ClawError(
                outcome["code"], outcome["message"], retry_after=seconds, details=details
            )
        if outcome.get("type") == "cancelled":
            details = {"runId": self.run_id, "content": self.text}
            raise ClawError("cancelled", "The answer was stopped before its end.", details=details)
        return Reply(
            content=self.text,
            conversation_id=self.conversation_id,
            message_id=self.message_id,
            run_id=self.run_id,
            stop_reason=outcome.get("stopReason", ""),
            usage=outcome.get("usage"),
        )

    def _replace(self, snapshot: Event) -> None:
        self.run_id, self.seq = snapshot["runId"], snapshot["lastSeq"]
        self.conversation_id = snapshot["conversationId"]
        self.message_id = snapshot["messageId"]
        self.text = snapshot["message"]["content"]

    def _check(self, done: Event) -> None:
        content = self.text.encode()
        if "digest" in done and done["digest"] != f"sha256:{sha256(content).hexdigest()}":
            details = {"runId": self.run_id, "content": self.text}
            raise ClawError("corrupted", "The text is not the one that was sent.", details=details)
