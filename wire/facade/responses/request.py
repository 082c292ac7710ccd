"""The request for a response."""

from collections.abc import Collection
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

import msgspec

from engine.errors import invalid
from wire import parse
from wire.facade.files import Part
from wire.facade.history import (
    Call,
    ForeignRequest,
    Said,
    chat_of,
    instructions_of,
    message_of,
    with_tools,
)
from wire.facade.openai import Function, refuse_unsupported, said_of, text_of
from wire.native import ClientTool
from wire.parse import ClientId, Name

SPOKEN = ("user", "assistant", "system", "developer")
REMEMBERED = ("reasoning", "compaction")
"""The types of items that a client sends back and the agent needs not: it has them."""
OF_TOOLS = ("_call", "_output", "_list_tools", "_approval_request", "_approval_response")
"""The ends of the types of items about tools that are no functions. They are left out, as those
tools are."""

Metadata: TypeAlias = dict[
    Annotated[str, msgspec.Meta(max_length=64)], Annotated[str, msgspec.Meta(max_length=512)]
]


class InputItem(msgspec.Struct, frozen=True):
    """An item of the input: a message, or something that an earlier response has given."""

    type: str = "message"
    role: Literal["user", "assistant", "system", "developer"] | None = None
    content: str | list[Part] | None = None
    call_id: str = ""
    name: str = ""
    arguments: str = ""
    output: str | list[Part] | None = None

    def said(self, field: str) -> Said | None:
        """The same in the history of both protocols; None for what the agent need not be told.
        Raises `invalid_message`."""
        if self.type == "function_call":
            call = Call(self.call_id, self.name, self.arguments, f"{field}.arguments")
            return Said("assistant", "", field, [call])
        if self.type == "function_call_output":
            output = text_of(self.output, f"{field}.output")
            return Said("tool", output, f"{field}.call_id", result_of=self.call_id)
        if self.type in REMEMBERED or self.type.endswith(OF_TOOLS):
            return None
        if self.type != "message":
            raise invalid(f"{field}.type", "Items of this type are not supported here.")
        if self.role is None:
            raise invalid(f"{field}.role", f"This is one of: {', '.join(SPOKEN)}.")
        return said_of(self.role, self.content, f"{field}.content")


class Tool(Function, frozen=True):
    """A tool that the client brings. Tools of other types than `function` are ignored: the agent
    has its own."""

    name: str = ""
    type: str = "function"


class ConversationReference(msgspec.Struct, frozen=True):
    """A conversation, by its id or the name that you give it."""

    id: ClientId


class ResponseRequest(msgspec.Struct, frozen=True, dict=True):
    """A request for a response. `model` names the agent. Fields that are not listed are left to the
    agent, such as `temperature`."""

    UNSUPPORTED: ClassVar[dict[str, list[Any]]] = {
        "tool_choice": ["none", "auto"],
        "top_logprobs": [0],
        "prompt": [],
    }
    """Fields that would change the form of the answer, and the values that do not."""

    input: Annotated[str, msgspec.Meta(min_length=1)] | list[InputItem]
    model: Name | None = None
    instructions: str | None = None
    stream: bool | None = None
    background: bool | None = None
    store: bool | None = None
    previous_response_id: Name | None = None
    conversation: ClientId | ConversationReference | None = None
    max_output_tokens: Annotated[int, msgspec.Meta(ge=1)] | None = None
    metadata: Annotated[Metadata, msgspec.Meta(max_length=16)] | None = None
    text: dict[str, Any] | None = None
    tools: list[Tool] | None = None
    tool_choice: Any = None
    top_logprobs: Any = None
    prompt: Any = None

    @property
    def stored(self) -> bool:
        """Whether the response may be read later."""
        return self.store is not False

    @property
    def conversation_id(self) -> str | None:
        """The conversation that it goes on with."""
        if isinstance(self.conversation, ConversationReference):
            return self.conversation.id
        return self.conversation

    @property
    def all_instructions(self) -> list[str]:
        """The texts that are added to the agent's instructions."""
        return [self.instructions or "", *instructions_of(self._said)]

    def check(self) -> None:
        """Check what types cannot express. Raises `invalid_message`."""
        refuse_unsupported(self, self.UNSUPPORTED)
        form = (self.text or {}).get("format") or {"type": "text"}
        if form != {"type": "text"}:
            raise invalid("text", "This agent answers with text: leave “format” out.")
        if self.background and not self.stored:
            raise invalid("background", "A response in the background is stored.")
        if self.conversation is not None and self.previous_response_id is not None:
            raise invalid("conversation", "Name it, or the response before: not both.")
        parse.check_client_id("conversation", self.conversation_id)
        for value in (self.metadata or {}).items():
            for text in value:
                parse.check_storable("metadata", text)
        if self.instructions:
            parse.check_text("instructions", self.instructions)

    def history(self, *, message_bytes: int) -> ForeignRequest:
        """The input as a conversation of its own, in the native protocol. Raises
        `invalid_message`, `message_too_large`."""
        chat = chat_of(self._said, "input", message_bytes=message_bytes)
        return with_tools(chat, self._tools())

    def message(self, known: Collection[str], *, message_bytes: int) -> ForeignRequest:
        """The input as one message that goes on with a conversation whose last answer has asked
        for the calls that are `known`. Raises `invalid_message`, `message_too_large`."""
        chat = message_of(self._said, "input", message_bytes=message_bytes, known=known)
        return with_tools(chat, self._tools())

    def _tools(self) -> list[ClientTool]:
        brought = [] if self.tool_choice == "none" else self.tools or []
        return [tool.tool() for tool in brought if tool.type == "function"]

    @cached_property
    def _said(self) -> list[Said]:
        # Parsed when it is first used, and once: an input may be large.
        if isinstance(self.input, str):
            return [Said("user", self.input, "input")]
        said = (item.said(f"input[{place}]") for place, item in enumerate(self.input))
        return [each for each in said if each is not None]


_request = msgspec.json.Decoder(ResponseRequest)


def parse_response(body: bytes) -> ResponseRequest:
    """The JSON body of a request. Raises `invalid_message`."""
    return parse.decode(_request, body)
