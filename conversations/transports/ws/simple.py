"""The sockets of the simple dialects (docs/simple.md): each text that comes is a message."""

import re
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings

from agents.auth.signing import is_signed
from agents.caller import Caller
from conversations.runs.decide import answer_question
from conversations.runs.read import question_of
from conversations.transports import admission
from conversations.transports.identify import socket_token
from conversations.transports.ws.consumers import ChatConsumer
from conversations.transports.ws.session import Session
from conversations.transports.ws.timers import INVALID_TOKEN
from engine.errors import ClawError, invalid
from wire import native
from wire.errors import close_code_of
from wire.native import ChatRequest, check_chat
from wire.parse import dumps, too_large

STOP = "STOP"
TRY_AGAIN = 1013  # Try Again Later
NAMED = re.compile(r"[A-Za-z0-9._:-]{1,128}")
RESERVED = frozenset({"secure", "robust"})
"""Names that clients may not take beside those of the sockets themselves."""


class SimpleSession(Session):
    """One socket, which is one conversation. A text is a message."""

    protocol = "ws-agent"

    async def hear(self, text: str) -> None:
        """Ask the agent, or answer its question. Raises ClawError."""
        caller = await self._identity.look()
        await admission.count_request(self._services.limits, caller)
        for run in self.followed.runs:
            if (question := await question_of(self._services.log, run)) is not None:
                reply = native.Reply(id=question.id, text=text)
                await answer_question(self._services, caller, [run.pk], reply)
                return
        asked = ChatRequest(message=text, conversation_id=self._conversation)
        await self._ask(caller, check_chat(asked), native.Options())

    async def tell(self, problem: ClawError) -> None:
        """Say what is wrong with a text."""
        for data in self._encoding(native.Options()).encoder().close(problem):
            await self._send(data)

    async def _welcome(self, caller: Caller, frame: native.Auth) -> None:
        """The client waits for no answer to its token."""
        self._timers.authenticated(until=caller.principal.ends_unseen)


class ChunksSession(SimpleSession):
    """As `SimpleSession`; the text STOP ends what is being answered."""

    protocol = "ws-chat"

    async def hear(self, text: str) -> None:
        """See `SimpleSession.hear`."""
        if text != STOP:
            await super().hear(text)
            return
        await self.followed.stop()
        await self._cancel(await self._identity.look(), native.Cancel())
        self._started.clear()
        await self._send(dumps({"stopped": True}))


class ThoughtsSession(SimpleSession):
    """As `SimpleSession`, with what the agent thinks and does."""

    protocol = "ws-agent-thoughts"


class EchoSession(SimpleSession):
    """Says every text again, in capitals: to try a connection with."""

    async def hear(self, text: str) -> None:
        """See `SimpleSession.hear`."""
        await admission.count_request(self._services.limits, await self._identity.look())
        if wait := self._messages.wait(settings.CLAW_MAX_MESSAGES_PER_MINUTE):
            raise ClawError("rate_limited", "Too many messages within a minute.", retry_after=wait)
        self._messages.count()
        await self._send(text.upper().encode())


SESSIONS: dict[str, type[SimpleSession]] = {
    "agent": SimpleSession,
    "agent-thoughts": ThoughtsSession,
    "chat": ChunksSession,
    "echo": EchoSession,
}
"""The sockets that have a name. Any other name is that of a client, whose socket is as `agent`."""


def is_socket(name: str) -> bool:
    """Whether there is a socket `/ws/<name>`."""
    return name not in RESERVED and NAMED.fullmatch(name) is not None


class SimpleConsumer(ChatConsumer):
    """`/ws/<name>`. Only a visitor's token opens it. It sends no frames but those of its dialect:
    no pings, and a close without a word before."""

    _session: SimpleSession

    async def websocket_receive(self, message: Any) -> None:
        self._timers.touch()
        if self._identity.caller is not None:  # else it is about to be closed
            await self._guarded(self._hear(message.get("text")), None)

    async def _hear(self, text: str | None) -> None:
        if text is None:
            raise invalid("$", "Send text.")
        if len(text.encode("utf-8", "surrogatepass")) > settings.CLAW_MAX_MESSAGE_BYTES:
            raise too_large(settings.CLAW_MAX_MESSAGE_BYTES)
        await self._session.hear(text)

    async def _begin(self) -> None:
        query = parse_qs(self.scope.get("query_string", b"").decode("latin-1"))
        token = socket_token(self.scope)
        if token is None or not is_signed(token):
            raise ClawError("invalid_token", "Invalid token")
        agent_id = query.get("agent", [None])[0]
        await self._session.authenticate(native.Auth(token=token, agent_id=agent_id))

    async def _refuse(self, problem: ClawError, reply_to: str | int | None) -> None:
        if self._identity.caller is not None:
            await self._session.tell(problem)
            return
        code = close_code_of(problem) or TRY_AGAIN
        self._timers.end([], code, "Invalid token" if code == INVALID_TOKEN else problem.code)

    def _kind(self) -> type[Session]:
        return SESSIONS.get(self.scope["url_route"]["kwargs"]["name"], SimpleSession)

    async def _ping(self, data: bytes) -> None:
        """Nothing: such a client shows all that it gets."""

    async def _close(self, last: list[bytes], code: int, reason: str) -> None:
        await super()._close([], code, reason)
