"""The objects of stream tickets (docs/visitors.md): requests and answers."""

from typing import Any, ClassVar

import msgspec

from engine.errors import invalid
from wire import parse
from wire.native import (
    ChatRequest,
    ClientTools,
    IfBusy,
    OnDisconnect,
    Options,
    PageContext,
    check_chat,
)
from wire.parse import ClientId, Moment, Name, Text


def _text(name: str) -> dict[str, Any]:
    return {name: {"type": "string"}}


class NewTicket(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A ticket to follow `run_id`, to follow `conversation_id`, to ask `message` (in that
    conversation, if it is named) and follow the answer, or to watch the `command_center`: all of
    it, or these agents and types of events."""

    SCHEMA: ClassVar[dict[str, Any]] = {
        "oneOf": [
            {"required": ["runId"], "properties": _text("runId")},
            {"required": ["message"], "properties": _text("message")},
            {"required": ["commandCenter"], "properties": {"commandCenter": {"const": True}}},
            {
                "required": ["conversationId"],
                "properties": _text("conversationId") | {"message": {"type": "null"}},
            },
        ]
    }
    """The JSON Schema of the fields that `check` takes. Null means absent."""

    run_id: Name | None = None
    conversation_id: ClientId | None = None
    message: Text | None = None
    agent_id: Name | None = None
    client_message_id: ClientId | None = None
    if_busy: IfBusy | None = None
    on_disconnect: OnDisconnect | None = None
    replaces: Name | None = None
    tools: ClientTools = []
    context: PageContext | None = None
    merge: bool = False
    deltas: bool = False
    command_center: bool = False
    agent_ids: list[Name] = []
    event_types: list[Name] = []

    @property
    def options(self) -> Options:
        """The options for the stream's events."""
        return Options(self.merge, self.deltas)

    @property
    def chat(self) -> ChatRequest | None:
        """The request to ask, if there is a message. Raises ClawError `invalid_message`."""
        if self.message is None:
            return None
        fields = msgspec.structs.asdict(self)
        for name in ("run_id", "command_center", "agent_ids", "event_types"):
            del fields[name]  # the others are those of a chat
        return check_chat(ChatRequest(**fields))

    def check(self) -> None:
        """Check that it is for one thing. Raises ClawError `invalid_message`."""
        parse.check_client_id("conversationId", self.conversation_id)
        about = self.run_id, self.message, self.conversation_id
        if self.command_center and any(about):
            raise invalid("commandCenter", "A ticket for the command center is for nothing else.")
        if not self.command_center and about == (None, None, None):
            raise invalid("runId", "Name `runId` or `conversationId`, or send a `message`.")
        if self.run_id is not None and (self.message or self.conversation_id):
            raise invalid("runId", "A ticket is for a run, a conversation or a message.")


class Ticket(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A new ticket. An EventSource can open `url` until `expires_at`, and resume it after that."""

    ticket: str
    url: str
    expires_at: Moment
