"""The requests of the AI SDK's chats: https://ai-sdk.dev/docs/ai-sdk-ui/chatbot, with `ai` 5.0.277,
6.0.325 and 7.0.173, read on 2026-11-30."""

from collections.abc import Collection
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from engine.errors import invalid
from wire import parse
from wire.facade.files import file_of_url
from wire.facade.history import ForeignRequest, Said, message_of, with_tools
from wire.native import ClientTools
from wire.parse import ClientId, Name

ENDED = ("output-available", "output-error")
"""The states of a tool part whose result is there."""


class UiPart(msgspec.Struct, frozen=True, rename="camel"):
    """A part of a message. Texts and files count, and the results of tools that the client has
    carried out."""

    type: str
    text: str | None = None
    tool_call_id: str | None = None
    state: str | None = None
    output: Any = None
    error_text: str | None = None
    url: str = ""
    filename: str | None = None

    def result(self, known: Collection[str], field: str) -> Said | None:
        """The result of one of the calls that are `known`, if it is one."""
        if self.tool_call_id not in known or self.state not in ENDED:
            return None
        given = self.error_text if self.state == "output-error" else self.output
        text = given if isinstance(given, str) else parse.dumps(given).decode()
        return Said("tool", text, field, result_of=self.tool_call_id)


class UiMessage(msgspec.Struct, frozen=True):
    """A message of the chat."""

    role: Literal["system", "user", "assistant"]
    parts: list[UiPart]
    id: str | None = None

    def said(self, known: Collection[str], field: str) -> list[Said]:
        """The same in the history of all protocols. Raises `invalid_message`."""
        if self.role == "assistant":
            places = enumerate(self.parts)
            results = [part.result(known, f"{field}.parts[{place}]") for place, part in places]
            return [result for result in results if result is not None]
        files = [
            file_of_url(part.url, part.filename, f"{field}.parts[{place}]")
            for place, part in enumerate(self.parts)
            if part.type == "file"
        ]
        texts = [part.text or "" for part in self.parts if part.type == "text"]
        text = "\n".join(texts) or ", ".join(file.name for file in files)
        return [Said("user", text, f"{field}.parts", files=files)]


class UiChatRequest(msgspec.Struct, frozen=True, rename="camel"):
    """The request of a chat. Only its last message counts: the agent knows what came before.
    `model` names the agent, `tools` are carried out by the client, `message_id` is the answer that
    is made anew."""

    id: ClientId
    messages: list[UiMessage] | None = None
    message: UiMessage | None = None
    trigger: Literal["submit-message", "regenerate-message"] = "submit-message"
    message_id: str | None = None
    model: Name | None = None
    tools: ClientTools = []

    @property
    def last(self) -> UiMessage:
        """The message that counts. Raises `invalid_message`."""
        found = self.message or (self.messages[-1] if self.messages else None)
        if found is None:
            raise invalid("messages", "Send `messages`, or the last one as `message`.")
        if found.role == "system":
            raise invalid("messages", "The last message must be the user's.")
        return found

    @property
    def continued(self) -> str | None:
        """The id of the message that the answer continues: one with results of tools."""
        return self.last.id if self.last.role == "assistant" else None

    def chat(self, known: Collection[str], *, message_bytes: int) -> ForeignRequest:
        """The same request in the native protocol; the last answer has asked for the calls that
        are `known`. Raises `invalid_message`, `message_too_large`."""
        parse.check_client_id("id", self.id)
        said = self.last.said(known, "messages[-1]")
        if not said:
            raise invalid("messages[-1].parts", "No tool that the agent waits for has a result.")
        chat = message_of(said, "messages[-1].parts", message_bytes=message_bytes, known=known)
        return replace(with_tools(chat, self.tools), conversation_id=self.id)


_request = msgspec.json.Decoder(UiChatRequest)


def parse_ui_chat(body: bytes) -> UiChatRequest:
    """The JSON body of a request. Raises `invalid_message`."""
    return parse.decode(_request, body)
