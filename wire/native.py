"""The native protocol (docs/protocol.md): what clients send over WebSocket and HTTP."""

import re
from typing import Literal, TypeAlias

import msgspec

from engine.errors import invalid
from engine.request import Turn
from wire import parse
from wire.parse import ClientId, Text

IfBusy: TypeAlias = Literal["queue", "reject", "interrupt"]
"""What a message does that finds the agent still answering."""


class ChatTurn(msgspec.Struct, frozen=True):
    """One message of a caller's own history; nobody can send another role."""

    role: Literal["user", "assistant"]
    content: Text


class Options(msgspec.Struct, frozen=True):
    """How a watcher wants its events: `merge` joins neighbouring tokens that are there together,
    `deltas` adds the raw fragments of tool calls."""

    merge: bool = False
    deltas: bool = False

    def __or__(self, other: "Options") -> "Options":
        """What either of them asks for."""
        return Options(self.merge or other.merge, self.deltas or other.deltas)


class ChatRequest(msgspec.Struct, frozen=True, rename="camel"):
    """Ask the agent: either one `message`, or the caller's own history in `messages`."""

    message: Text | None = None
    messages: list[ChatTurn] | None = None
    agent_id: str | None = None
    conversation_id: ClientId | None = None
    client_message_id: ClientId | None = None
    if_busy: IfBusy | None = None
    on_disconnect: Literal["continue", "cancel"] | None = None
    replaces: str | None = None
    merge: bool = False
    deltas: bool = False

    @property
    def options(self) -> Options:
        return Options(self.merge, self.deltas)

    @property
    def turns(self) -> list[Turn]:
        """What is asked, oldest first; the last one is the user's."""
        if self.messages is not None:
            return [Turn(role=turn.role, content=turn.content) for turn in self.messages]
        return [Turn(role="user", content=self.message or "")]


class ContentRequest(msgspec.Struct, frozen=True, rename="camel"):
    """Ask within a conversation that the address names."""

    content: Text
    stream: bool = False
    agent_id: str | None = None
    client_message_id: ClientId | None = None
    if_busy: IfBusy | None = None
    on_disconnect: Literal["continue", "cancel"] | None = None
    replaces: str | None = None
    merge: bool = False


class Frame(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", rename="camel"):
    """Any frame may carry an `id`; its direct answer or error echoes it as `replyTo`."""

    id: str | int | None = None


class Watcher(Frame, frozen=True, kw_only=True):
    """A frame after which events come; it may say how."""

    merge: bool = False
    deltas: bool = False

    @property
    def options(self) -> Options:
        return Options(self.merge, self.deltas)


class Auth(Watcher, tag="auth", frozen=True, kw_only=True):
    """Who this is; its options hold for all that the connection follows."""

    token: str
    agent_id: str | None = None
    conversation_id: str | None = None


class Message(Watcher, tag="message", frozen=True, kw_only=True):
    """Ask the agent in a conversation: the one named, else the connection's present one."""

    content: str
    conversation_id: str | None = None
    client_message_id: str | None = None
    if_busy: IfBusy | None = None
    on_disconnect: Literal["continue", "cancel"] | None = None
    replaces: str | None = None

    def request(self, conversation: str | None) -> ChatRequest:
        """The same request as over HTTP; `conversation` is the connection's present one.

        Raises ClawError `invalid_message`."""
        named = self.conversation_id
        if self.replaces is not None:
            conversation = None  # it is the conversation of that message
        return check_chat(
            ChatRequest(
                message=self.content,
                conversation_id=conversation if named is None else named,
                client_message_id=self.client_message_id,
                if_busy=self.if_busy,
                on_disconnect=self.on_disconnect,
                replaces=self.replaces,
            ),
            field="content",
        )


class Chat(Watcher, tag="chat", frozen=True, kw_only=True):
    """Ask an agent with a history of the caller's own."""

    messages: list[ChatTurn]
    agent_id: str | None = None
    client_message_id: str | None = None
    on_disconnect: Literal["continue", "cancel"] | None = None

    def request(self) -> ChatRequest:
        """The same request as over HTTP: a new conversation with the caller's own history.

        Raises ClawError `invalid_message`."""
        return check_chat(
            ChatRequest(
                messages=self.messages,
                agent_id=self.agent_id,
                client_message_id=self.client_message_id,
                on_disconnect=self.on_disconnect,
            )
        )


class Cancel(Frame, tag="cancel", frozen=True, kw_only=True):
    """One run, everything in a conversation, or, if neither is named, every run that this
    connection started."""

    run_id: str | None = None
    conversation_id: str | None = None


class Resume(Watcher, tag="resume", frozen=True, kw_only=True):
    """Follow a run, or a conversation's latest, after a position; a snapshot comes without one."""

    run_id: str | None = None
    conversation_id: str | None = None
    last_seq: int | None = None


class Subscribe(Watcher, tag="subscribe", frozen=True, kw_only=True):
    """Everything that happens in a conversation from now on, an active run first."""

    conversation_id: str


class Unsubscribe(Frame, tag="unsubscribe", frozen=True, kw_only=True):
    """Of a conversation, nothing more from now on but the runs that are followed already."""

    conversation_id: str


class Ping(Frame, tag="ping", frozen=True, kw_only=True):
    """Is the server there? Answered by `pong`."""


class Pong(Frame, tag="pong", frozen=True, kw_only=True):
    """The answer to the server's `ping`; nothing depends on it."""


ClientFrame: TypeAlias = (
    Auth | Message | Chat | Cancel | Resume | Subscribe | Unsubscribe | Ping | Pong
)

_frames: msgspec.json.Decoder[ClientFrame] = msgspec.json.Decoder(ClientFrame)
_leading_id = re.compile(
    r'\s*\{\s*(?:"type"\s*:\s*"\w*"\s*,\s*)?'
    r'"id"\s*:\s*("[ !#-\[\]-~]*"|-?(?:0|[1-9][0-9]{0,17}))\s*[,}]'
)
_content = msgspec.json.Decoder(ContentRequest)
_chat = msgspec.json.Decoder(ChatRequest)


def parse_frame(text: str, *, message_bytes: int) -> ClientFrame:
    """One WebSocket text frame. The bare text `STOP` is a cancel.

    Raises ClawError `invalid_message` (also for an unknown type) and, for a `message` frame of
    more than `message_bytes` bytes, `message_too_large`."""
    if text == "STOP":
        return Cancel()
    frame = parse.decode(_frames, text)
    if isinstance(frame, Message) and _exceeds(text, message_bytes):
        raise parse.too_large(message_bytes)
    if isinstance(frame, Resume):
        _check_resume(frame)
    elif isinstance(frame, Cancel):
        parse.check_client_id("runId", frame.run_id)
    return frame


def reply_id(text: str) -> str | int | None:
    """The `id` of a frame that could not be parsed as a whole, if it has one."""
    try:
        loose = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        # No JSON that we read: an `id` that comes first, as most write it, is found all the same.
        start = _leading_id.match(text, 0, 4096)
        return msgspec.json.decode(start[1]) if start else None
    found = loose.get("id") if isinstance(loose, dict) else None
    return found if isinstance(found, (str, int)) and not isinstance(found, bool) else None


def parse_chat(body: bytes, *, message_bytes: int) -> ChatRequest:
    """The JSON body of a chat POST. Raises `invalid_message`, `message_too_large`."""
    request = parse.decode(_chat, body)
    if request.messages is None and len(body) > message_bytes:
        raise parse.too_large(message_bytes)
    return check_chat(request)


def parse_content(body: bytes, *, message_bytes: int) -> tuple[ChatRequest, bool]:
    """The body of the conversation route: `{content, stream?, ...}`; and whether it asks to
    stream. Raises `invalid_message`, `message_too_large`."""
    asked = parse.decode(_content, body)
    if len(body) > message_bytes:
        raise parse.too_large(message_bytes)
    request = ChatRequest(
        message=asked.content,
        agent_id=asked.agent_id,
        client_message_id=asked.client_message_id,
        if_busy=asked.if_busy,
        on_disconnect=asked.on_disconnect,
        replaces=asked.replaces,
        merge=asked.merge,
    )
    return check_chat(request, field="content"), asked.stream


def check_chat(request: ChatRequest, *, field: str = "message") -> ChatRequest:
    """The rules that types do not say. Raises ClawError `invalid_message`."""
    if (request.message is None) == (request.messages is None):
        raise invalid(field, "Send either `message` or `messages`.")
    parse.check_client_id("conversationId", request.conversation_id)
    parse.check_client_id("clientMessageId", request.client_message_id)
    if request.messages is None:
        parse.check_text(field, request.message or "")
        return request
    if request.replaces is not None:
        raise invalid("replaces", "`messages` always begins a new conversation.")
    if not request.messages or request.messages[-1].role != "user":
        raise invalid("messages", "The last message must be the user's.")
    for place, turn in enumerate(request.messages):
        parse.check_text(f"messages[{place}].content", turn.content)
    return request


def check_conversation(conversation_id: str | None) -> None:
    """A conversation's id or a name that becomes one. Raises ClawError `invalid_message`."""
    parse.check_client_id("conversationId", conversation_id)


def _check_resume(frame: Resume) -> None:
    if (frame.run_id is None) == (frame.conversation_id is None):
        raise invalid("runId", "Name either `runId` or `conversationId`.")
    parse.check_client_id("runId", frame.run_id)
    parse.check_client_id("conversationId", frame.conversation_id)
    if frame.last_seq is not None and frame.last_seq < 0:
        raise invalid("lastSeq", "A position is 0 or more.")


def _exceeds(text: str, limit: int) -> bool:
    return len(text) > limit or len(text.encode("utf-8", "surrogatepass")) > limit
