"""The native protocol (docs/protocol.md): what clients send over WebSocket and HTTP."""

import re
from typing import Annotated, Any, TypeAlias

import msgspec

from engine.errors import invalid
from wire import parse
from wire.native.asking import MAX_TURNS as MAX_TURNS
from wire.native.asking import ChatRequest as ChatRequest
from wire.native.asking import ChatTurn as ChatTurn
from wire.native.asking import ClientTool as ClientTool
from wire.native.asking import ClientTools as ClientTools
from wire.native.asking import ContentRequest as ContentRequest
from wire.native.asking import History as History
from wire.native.asking import IfBusy as IfBusy
from wire.native.asking import OnDisconnect as OnDisconnect
from wire.native.asking import Options as Options
from wire.native.asking import Version as Version
from wire.native.asking import check_chat as check_chat
from wire.native.asking import check_tools as check_tools
from wire.native.asking import size_of as size_of
from wire.native.context import PageContext as PageContext
from wire.native.deciding import MAX_ANSWER as MAX_ANSWER
from wire.native.deciding import Always as Always
from wire.native.deciding import ClientResult as ClientResult
from wire.native.deciding import NamedVerdict as NamedVerdict
from wire.native.deciding import Reason as Reason
from wire.native.deciding import Reply as Reply
from wire.native.deciding import Verdict as Verdict
from wire.native.deciding import Verdicts as Verdicts
from wire.native.deciding import check_reply as check_reply
from wire.native.deciding import check_verdict as check_verdict


class Frame(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", rename="camel"):
    """Base of all frames. The direct answer or error repeats `id` as `replyTo`."""

    id: str | int | None = None


class Watcher(Frame, frozen=True, kw_only=True):
    """A frame that events follow. It may say how they come."""

    merge: bool = False
    deltas: bool = False

    @property
    def options(self) -> Options:
        return Options(self.merge, self.deltas)


class Auth(Watcher, tag="auth", frozen=True, kw_only=True):
    """Authenticates the connection. Its options hold for every run that the connection follows."""

    token: str
    agent_id: str | None = None
    conversation_id: str | None = None


class MessageFrame(Watcher, tag="message", frozen=True, kw_only=True):
    """Ask the agent, in the conversation that is named or else in the connection's current one."""

    content: str
    agent_version: Version | None = None
    conversation_id: str | None = None
    client_message_id: str | None = None
    if_busy: IfBusy | None = None
    on_disconnect: OnDisconnect | None = None
    replaces: str | None = None
    tools: ClientTools = []
    context: PageContext | None = None
    attachments: list[str] = []

    def request(self, conversation: str | None) -> ChatRequest:
        """The same request as over HTTP; `conversation` is the connection's current one.

        Raises ClawError `invalid_message`."""
        named = self.conversation_id
        if self.replaces is not None:
            conversation = None  # the run belongs to the conversation of that message
        return check_chat(
            ChatRequest(
                message=self.content,
                agent_version=self.agent_version,
                conversation_id=conversation if named is None else named,
                client_message_id=self.client_message_id,
                if_busy=self.if_busy,
                on_disconnect=self.on_disconnect,
                replaces=self.replaces,
                tools=self.tools,
                context=self.context,
                attachments=self.attachments,
            ),
            field="content",
        )


class Chat(Watcher, tag="chat", frozen=True, kw_only=True):
    """Ask an agent with a whole history, in a new conversation."""

    messages: History
    agent_id: str | None = None
    client_message_id: str | None = None
    on_disconnect: OnDisconnect | None = None
    tools: ClientTools = []
    context: PageContext | None = None

    def request(self) -> ChatRequest:
        """The same request as over HTTP.

        Raises ClawError `invalid_message`."""
        return check_chat(
            ChatRequest(
                messages=self.messages,
                agent_id=self.agent_id,
                client_message_id=self.client_message_id,
                on_disconnect=self.on_disconnect,
                tools=self.tools,
                context=self.context,
            )
        )


class Cancel(Frame, tag="cancel", frozen=True, kw_only=True):
    """Stop one run, or everything in a conversation. Without both names it stops every run that
    this connection started."""

    run_id: str | None = None
    conversation_id: str | None = None


class Approve(Frame, tag="approve", frozen=True, kw_only=True):
    """A decision about the tool call `id`, whose digest is `args_digest`. `run_id` is not needed
    where that tells which one."""

    id: str
    args_digest: str
    approve: bool
    reason: Reason | None = None
    args: dict[str, Any] | None = None
    always: Always | None = None
    run_id: str | None = None

    @property
    def verdict(self) -> Verdict:
        """The same decision as over HTTP."""
        return Verdict(
            args_digest=self.args_digest,
            approve=self.approve,
            reason=self.reason,
            args=self.args,
            always=self.always,
        )


class Answer(Frame, tag="answer", frozen=True, kw_only=True):
    """The answer to the question `id` of the agent, or `decline`. `run_id` is not needed where the
    connection follows the run."""

    id: str
    text: Annotated[str, msgspec.Meta(max_length=MAX_ANSWER)] | None = None
    decline: bool = False
    run_id: str | None = None

    @property
    def reply(self) -> Reply:
        """The same answer as over HTTP."""
        return Reply(id=self.id, text=self.text, decline=self.decline)


class ToolResult(Frame, tag="tool_result", frozen=True, kw_only=True):
    """The result of the call `id` of a client's tool. `run_id` is not needed where the connection
    follows the run."""

    id: str
    result: Any
    is_error: bool = False
    run_id: str | None = None

    @property
    def given(self) -> ClientResult:
        """The same result as over HTTP."""
        return ClientResult(id=self.id, result=self.result, is_error=self.is_error)


class Resume(Watcher, tag="resume", frozen=True, kw_only=True):
    """Follow a run, or a conversation's latest run. Without a position a snapshot comes first."""

    run_id: str | None = None
    conversation_id: str | None = None
    last_seq: int | None = None


class Subscribe(Watcher, tag="subscribe", frozen=True, kw_only=True):
    """Follow a conversation: its active run first, then every later run."""

    conversation_id: str


class Unsubscribe(Frame, tag="unsubscribe", frozen=True, kw_only=True):
    """Stop following a conversation. Runs that are followed already go on."""

    conversation_id: str


class Ping(Frame, tag="ping", frozen=True, kw_only=True):
    """Asks for a `pong`."""


class Pong(Frame, tag="pong", frozen=True, kw_only=True):
    """The answer to the server's `ping`. It has no effect."""


ClientFrame: TypeAlias = (
    Auth
    | MessageFrame
    | Chat
    | Cancel
    | Approve
    | Answer
    | ToolResult
    | Resume
    | Subscribe
    | Unsubscribe
    | Ping
    | Pong
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
    if isinstance(frame, MessageFrame) and _exceeds(
        text, message_bytes + size_of(frame.tools, frame.context)
    ):
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
        # The JSON may be broken. Most clients write the `id` first: that one is found all the same.
        start = _leading_id.match(text, 0, 4096)
        return msgspec.json.decode(start[1]) if start else None
    found = loose.get("id") if isinstance(loose, dict) else None
    return found if isinstance(found, (str, int)) and not isinstance(found, bool) else None


def parse_chat(body: bytes, *, message_bytes: int) -> ChatRequest:
    """The JSON body of a chat POST. Raises `invalid_message`, `message_too_large`."""
    request = parse.decode(_chat, body)
    beside = size_of(request.tools, request.context)
    if request.messages is None and len(body) > message_bytes + beside:
        raise parse.too_large(message_bytes)
    return check_chat(request)


def parse_content(body: bytes, *, message_bytes: int) -> tuple[ChatRequest, bool]:
    """The body of the conversation route: `{content, stream?, ...}`; and whether it asks to
    stream. Raises `invalid_message`, `message_too_large`."""
    asked = parse.decode(_content, body)
    if len(body) > message_bytes + size_of(asked.tools, asked.context):
        raise parse.too_large(message_bytes)
    request = ChatRequest(
        message=asked.content,
        agent_id=asked.agent_id,
        agent_version=asked.agent_version,
        client_message_id=asked.client_message_id,
        if_busy=asked.if_busy,
        on_disconnect=asked.on_disconnect,
        replaces=asked.replaces,
        tools=asked.tools,
        context=asked.context,
        attachments=asked.attachments,
        merge=asked.merge,
    )
    return check_chat(request, field="content"), asked.stream


def check_conversation(conversation_id: str | None) -> None:
    """Check the id of a conversation, or the name of a new one. Raises ClawError
    `invalid_message`."""
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
