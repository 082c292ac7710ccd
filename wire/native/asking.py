"""The fields of a message: the same over WebSocket and HTTP."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from engine.errors import ClawError, invalid
from engine.request import Turn
from wire import parse
from wire.native.context import PageContext, check_context
from wire.parse import ClientId, Name, Text

IfBusy: TypeAlias = Literal["queue", "reject", "interrupt", "steer"]
"""The policy for a message that comes while the agent still answers another one."""

OnDisconnect: TypeAlias = Literal["continue", "cancel"]
"""The fate of a run when the client that asked for it vanishes."""

MAX_TURNS = 400
"""Turns in `messages`. A model never gets more of a conversation."""
MAX_TOOLS = 50
"""Tools that come with a message. Models choose badly among more."""
MAX_TOOLS_BYTES = 64 * 1024
"""Bytes of their JSON: each model call sends them, and each run keeps them."""
MAX_SCHEMA_DEPTH = 40
"""Levels of an `inputSchema`."""

_TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""The names that all model servers take."""


class ChatTurn(msgspec.Struct, frozen=True):
    """One message of a history that the caller sends. Other roles are refused."""

    role: Literal["user", "assistant"]
    content: Text

    @property
    def turn(self) -> Turn:
        """The turn that a model gets."""
        return Turn(role=self.role, content=self.content)


# The schema says what `check_chat` checks: that has clearer errors.
History: TypeAlias = Annotated[
    list[ChatTurn], msgspec.Meta(extra_json_schema={"maxItems": MAX_TURNS})
]


class ClientTool(msgspec.Struct, frozen=True, rename="camel"):
    """A tool that the client carries out itself. `input_schema` is the JSON Schema of an object."""

    name: Annotated[str, msgspec.Meta(extra_json_schema={"pattern": f"^{_TOOL_NAME.pattern}$"})]
    description: str = ""
    input_schema: Annotated[
        dict[str, Any],
        msgspec.Meta(extra_json_schema={"properties": {"type": {"const": "object"}}}),
    ] = {}


ClientTools: TypeAlias = Annotated[
    list[ClientTool], msgspec.Meta(extra_json_schema={"maxItems": MAX_TOOLS})
]


class Options(msgspec.Struct, frozen=True):
    """A watcher's options for its events. `merge` joins neighbouring tokens that are there
    together, `deltas` adds the raw fragments of tool calls."""

    merge: bool = False
    deltas: bool = False

    def __or__(self, other: "Options") -> "Options":
        """Everything that one of the two asks for."""
        return Options(self.merge or other.merge, self.deltas or other.deltas)


Version: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)] | Literal["draft"]
"""The number of a version of an agent, or its draft."""


class ChatRequest(msgspec.Struct, frozen=True, rename="camel"):
    """Ask the agent with one `message`, or with a whole history in `messages`."""

    message: Text | None = None
    messages: History | None = None
    agent_id: Name | None = None
    agent_version: Version | None = None
    conversation_id: ClientId | None = None
    client_message_id: ClientId | None = None
    if_busy: IfBusy | None = None
    on_disconnect: OnDisconnect | None = None
    replaces: Name | None = None
    tools: ClientTools = []
    context: PageContext | None = None
    attachments: list[Name] = []
    merge: bool = False
    deltas: bool = False

    @property
    def options(self) -> Options:
        return Options(self.merge, self.deltas)

    @property
    def turns(self) -> list[Turn]:
        """The turns, oldest first. The last one is the user's."""
        if self.messages is not None:
            return [turn.turn for turn in self.messages]
        return [Turn(role="user", content=self.message or "")]

    @property
    def attached(self) -> list[list[str]]:
        """The ids of the files of each turn."""
        return [*([] for _ in self.turns[1:]), self.attachments]

    @property
    def identity(self) -> Any:
        """What tells a retry from another question under the same name, as JSON."""
        return [self.turns, self.attachments] if self.attachments else self.turns


class ContentRequest(msgspec.Struct, frozen=True, rename="camel"):
    """Ask in the conversation that the address names."""

    content: Text
    stream: bool = False
    agent_id: str | None = None
    agent_version: Version | None = None
    client_message_id: ClientId | None = None
    if_busy: IfBusy | None = None
    on_disconnect: OnDisconnect | None = None
    replaces: Name | None = None
    tools: ClientTools = []
    context: PageContext | None = None
    attachments: list[Name] = []
    merge: bool = False


def check_chat(request: ChatRequest, *, field: str = "message") -> ChatRequest:
    """Check the rules that types cannot express. Raises ClawError `invalid_message`."""
    if (request.message is None) == (request.messages is None):
        raise invalid(field, "Send either `message` or `messages`.")
    parse.check_client_id("conversationId", request.conversation_id)
    parse.check_client_id("clientMessageId", request.client_message_id)
    check_tools(request.tools)
    check_context(request.context)
    if request.attachments and request.messages is not None:
        raise invalid("attachments", "Files come with a `message`.")
    if request.messages is None:
        parse.check_text(field, request.message or "")
        return request
    if request.replaces is not None:
        raise invalid("replaces", "`messages` always begins a new conversation.")
    if len(request.messages) > MAX_TURNS:
        raise ClawError(
            "invalid_message",
            f"Send at most {MAX_TURNS} messages: leave out the oldest.",
            details={"field": "messages", "limit": MAX_TURNS},
        )
    if not request.messages or request.messages[-1].role != "user":
        raise invalid("messages", "The last message must be the user's.")
    for place, turn in enumerate(request.messages):
        parse.check_text(f"messages[{place}].content", turn.content)
    return request


def size_of(*brought: Sequence[ClientTool] | PageContext | None) -> int:
    """Bytes of the tools and the context of a message, which do not count as its text."""
    return sum(len(parse.dumps(one)) for one in brought if one)


def check_tools(tools: Sequence[ClientTool]) -> None:
    """Check the tools of a message. Raises `invalid_message`."""
    if len(tools) > MAX_TOOLS or size_of(tools) > MAX_TOOLS_BYTES:
        raise ClawError(
            "invalid_message",
            f"Send at most {MAX_TOOLS} tools, of {MAX_TOOLS_BYTES} bytes in all.",
            details={"field": "tools", "limit": MAX_TOOLS},
        )
    names: set[str] = set()
    for place, tool in enumerate(tools):
        at = f"tools[{place}]"
        if not _TOOL_NAME.fullmatch(tool.name):
            raise invalid(f"{at}.name", "A name has 1 to 64 letters, digits, hyphens, underscores.")
        if tool.name in names:
            raise invalid(f"{at}.name", "Another tool has this name.")
        names.add(tool.name)
        parse.check_storable(f"{at}.description", tool.description)
        parse.check_storable(f"{at}.inputSchema", tool.input_schema, MAX_SCHEMA_DEPTH)
        if tool.input_schema.get("type", "object") != "object":
            raise invalid(f"{at}.inputSchema", 'This is the schema of an object: "type": "object".')
