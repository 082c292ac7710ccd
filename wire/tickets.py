"""The objects of stream tickets (docs/visitors.md), both ways."""

from datetime import datetime
from typing import Literal

import msgspec

from engine.errors import invalid
from wire import parse
from wire.native import ChatRequest, IfBusy, Options, check_chat
from wire.parse import ClientId, Text


class NewTicket(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What the ticket is for: to follow `run_id`, or to follow `conversation_id`, or to ask
    `message` (in that conversation, if it is named) and follow the answer."""

    run_id: str | None = None
    conversation_id: ClientId | None = None
    message: Text | None = None
    agent_id: str | None = None
    client_message_id: ClientId | None = None
    if_busy: IfBusy | None = None
    on_disconnect: Literal["continue", "cancel"] | None = None
    replaces: str | None = None
    merge: bool = False
    deltas: bool = False

    @property
    def options(self) -> Options:
        """How the stream shall look."""
        return Options(self.merge, self.deltas)

    @property
    def chat(self) -> ChatRequest | None:
        """What is asked, if anything is. Raises ClawError `invalid_message`."""
        if self.message is None:
            return None
        fields = msgspec.structs.asdict(self)
        del fields["run_id"]  # the others are those of a chat
        return check_chat(ChatRequest(**fields))

    def check(self) -> None:
        """It is for one thing. Raises ClawError `invalid_message`."""
        parse.check_client_id("conversationId", self.conversation_id)
        if self.run_id is None and self.message is None and self.conversation_id is None:
            raise invalid("runId", "Name `runId` or `conversationId`, or send a `message`.")
        if self.run_id is not None and (self.message or self.conversation_id):
            raise invalid("runId", "A ticket is for a run, a conversation or a message.")


class Ticket(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`url` is ready for an EventSource until `expires_at`, and after that to go on."""

    ticket: str
    url: str
    expires_at: datetime
