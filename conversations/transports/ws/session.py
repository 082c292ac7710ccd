"""The frames of one socket: what it asks, and what it follows.

No handler waits for a run: it starts, cancels or moves a pump and returns, so that the next frame
(a `cancel`, say) is seen at once.
"""

import contextlib
from collections.abc import Awaitable, Callable

from django.conf import settings

from agents.auth import tickets
from agents.auth.tickets import Ticket
from agents.caller import Caller
from conversations.limits.memory import SlidingWindow
from conversations.models import Run
from conversations.process.services import Services
from conversations.runs.cancel import cancel_conversation
from conversations.runs.decide import answer_question, decide_approval, give_result
from conversations.runs.find import find_arrivals, find_run, find_run_to_stop, latest_run
from conversations.runs.positions import check_kept, check_position, is_kept
from conversations.runs.start import start_run
from conversations.transports import admission
from conversations.transports.http import visibility_of
from conversations.transports.rest.tickets import asked, of_ticket
from conversations.transports.ws import frames
from conversations.transports.ws.followed import FollowedRuns
from conversations.transports.ws.identity import SocketIdentity
from conversations.transports.ws.subscription import Subscription
from conversations.transports.ws.timers import ConnectionTimers
from engine.errors import ClawError, invalid
from engine.ids import new_id
from wire import native
from wire.encoder import ENCODERS, Encoding
from wire.frames import Pong, Subscribed
from wire.native import ChatRequest
from wire.parse import dumps
from wire.selection import Selection

MAX_SUBSCRIPTIONS = 100
FREE = native.Ping | native.Pong | native.Unsubscribe
"""Frames that ask for nothing: they are no requests, and no rate limits them."""


class Session:
    """The state of one socket, from its first frame on."""

    protocol = "websocket"

    def __init__(
        self,
        services: Services,
        identity: SocketIdentity,
        timers: ConnectionTimers,
        send: Callable[[bytes], Awaitable[None]],
        write: Callable[[list[bytes]], bool] | None,
    ) -> None:
        self.followed = FollowedRuns(services.log, send=send, write=write, ended=self._ended)
        self._services, self._identity = services, identity
        self._timers, self._send = timers, send
        self._id = new_id("sess")
        self._conversation: str | None = None
        self._options = native.Options()
        self._started: dict[str, Run] = {}
        self._subscriptions: dict[str, Subscription] = {}
        self._messages = SlidingWindow()

    async def handle(self, frame: native.ClientFrame) -> None:
        """Do what a frame asks. Raises ClawError."""
        if not isinstance(frame, native.Auth):
            self._identity.known()  # nothing else comes first, not even a ping
            if not isinstance(frame, FREE):
                await self._identity.look()
        if self._identity.ticketed and not isinstance(frame, native.Ping | native.Pong):
            raise ClawError("forbidden", "A ticket opens one stream, and nothing else.")
        if (caller := self._identity.caller) is not None and not isinstance(frame, FREE):
            await admission.count_request(self._services.limits, caller)
        match frame:
            case native.Auth():
                await self.authenticate(frame)
            case native.Ping():
                await self._send(dumps(Pong(reply_to=frame.id)))
            case native.Pong():
                pass
            case native.MessageFrame():
                asking = frame.request(self._conversation)
                await self._ask(self._identity.known(), asking, frame.options)
            case native.Chat():
                await self._ask(
                    await self._identity.addressed(frame.agent_id), frame.request(), frame.options
                )
            case native.Cancel():
                await self._cancel(self._identity.known(), frame)
            case native.Approve():
                caller, id = self._identity.known(), frame.id
                await decide_approval(self._services, caller, frame.run_id, id, frame.verdict)
            case native.Answer():
                caller, named = self._identity.known(), self._named(frame.run_id)
                await answer_question(self._services, caller, named, frame.reply)
            case native.ToolResult():
                caller, named = self._identity.known(), self._named(frame.run_id)
                await give_result(self._services, caller, named, frame.given)
            case native.Resume():
                await self._resume(self._identity.known(), frame)
            case native.Subscribe():
                await self._subscribe(self._identity.known(), frame)
            case native.Unsubscribe():
                await self._unsubscribe(frame.conversation_id)

    async def begin(self, token: str | None) -> None:
        """The socket is open; `token` came with the upgrade request. Raises ClawError."""
        if token is not None:
            await self.authenticate(native.Auth(token=token))

    async def authenticate(self, frame: native.Auth) -> None:
        """Answer an `auth`: the first one, or one that renews. Raises ClawError."""
        caller = await self._identity.authenticate(frame)
        self._options = frame.options
        self._conversation = frame.conversation_id or self._conversation
        await self._welcome(caller, frame)

    async def redeem(self, token: str) -> None:
        """The upgrade request has brought a ticket: the socket is the one stream that it opens.
        Raises ClawError."""
        caller, ticket = await self._identity.redeem(token)
        await self._welcome(caller, native.Auth(token=""))
        try:
            await self._open(caller, ticket)
        except ClawError as problem:  # there is nothing else that this socket could do
            self._timers.fail(problem)

    async def _open(self, caller: Caller, ticket: Ticket) -> None:
        """Do what the ticket is for, as a frame that asks for it."""
        wanted = of_ticket(ticket)
        self._options = wanted.options
        if run_id := ticket.run_id or wanted.run_id:
            await self._resume(caller, native.Resume(run_id=run_id, last_seq=0))
            await tickets.note_opened(ticket, ticket.run_id)
        elif (chat := asked(ticket)) is not None:
            run = await self._ask(caller, chat, wanted.options)
            await tickets.note_opened(ticket, run.pk)
        else:
            name = wanted.conversation_id or ""
            await self._subscribe(caller, native.Subscribe(conversation_id=name))
            await tickets.note_opened(ticket)

    async def _welcome(self, caller: Caller, frame: native.Auth) -> None:
        agent = caller.require_agent()
        self._timers.authenticated(until=caller.principal.ends_unseen)
        await self._send(frames.auth_ok(agent, self._id, frame.conversation_id, frame.id))

    async def look_again(self) -> None:
        """Rights may have changed: go on with those of now, and end what they no longer allow.
        Raises ClawError, which ends the socket, and `Unavailable`."""
        before = self._identity.caller
        if before is None:
            return
        caller = await self._identity.look()
        others = {run.agent_id for run in self.followed.runs} - {caller.require_agent().id}
        for agent_id in others:  # a `chat` has named them
            await self._identity.addressed(agent_id)
        if before.sees_less(caller) and (self._subscriptions or self.followed):
            self._timers.end([frames.reconnect()], 1012, "Resume")

    async def release(self, *, leaving: bool) -> None:
        """Give back what the socket holds; end its runs where that was asked for, but not when
        it is the server that leaves (also because the client's token has expired)."""
        for name in list(self._subscriptions):
            await self._unsubscribe(name)
        await self.followed.stop()
        await self._identity.release()
        for run in () if leaving else list(self._started.values()):
            if run.on_disconnect == "cancel":
                with contextlib.suppress(ClawError):
                    await self._services.dispatcher.cancel(run)

    async def _ask(self, caller: Caller, request: ChatRequest, options: native.Options) -> Run:
        caller.principal.require("chat")
        if wait := self._messages.wait(settings.CLAW_MAX_MESSAGES_PER_MINUTE):
            raise ClawError("rate_limited", "Too many messages within a minute.", retry_after=wait)
        await admission.count_message(self._services.limits, caller)
        async with self.followed.turn:
            accepted = await start_run(self._services, caller, request)
            run = accepted.run
            self._messages.count()
            await check_kept(self._services.log, run)
            if (
                run.agent_id == self._identity.known().require_agent().id
            ):  # a `chat` may name another
                self._conversation = run.conversation.public_id
            if accepted.new:  # a run that was met again belongs to the socket that started it
                self._started[run.pk] = run
            for subscription in self._subscriptions.values():
                if subscription.arrivals.conversation.pk == run.conversation_id:
                    subscription.skip(run)
            await self.followed.follow(run, 0, self._encoding(options).encoder(run.pk))
            return run

    async def _cancel(self, caller: Caller, frame: native.Cancel) -> None:
        if frame.run_id is not None:
            run = await find_run_to_stop(caller, frame.run_id)
            await self._services.dispatcher.cancel(run)
            return
        if frame.conversation_id is not None:
            dispatcher = self._services.dispatcher
            await cancel_conversation(dispatcher, caller, frame.conversation_id)
            return
        for run in list(self._started.values()):
            await self._services.dispatcher.cancel(run)

    def _named(self, run_id: str | None) -> list[str]:
        """The run that a frame names, or those that the socket follows."""
        return [run.pk for run in self.followed.runs] if run_id is None else [run_id]

    async def _resume(self, caller: Caller, frame: native.Resume) -> None:
        if frame.run_id is not None:
            run = await find_run(caller, frame.run_id)
        else:
            run = await latest_run(caller, frame.conversation_id or "")
        self._conversation = run.conversation.public_id
        encoder = self._encoding(frame.options).encoder(run.pk)
        if frame.last_seq is None:
            after = await self.followed.snapshot(run, encoder, frame.id)
            if not await is_kept(self._services.log, run):
                return  # the snapshot came from the history: nothing follows it
        else:
            after = frame.last_seq
            await check_position(self._services.log, run, after)
        await self.followed.follow(run, after, encoder)

    async def _subscribe(self, caller: Caller, frame: native.Subscribe) -> None:
        name = frame.conversation_id
        arrivals = await find_arrivals(self._services, caller, name)
        await self._unsubscribe(name)
        if len(self._subscriptions) >= MAX_SUBSCRIPTIONS:
            raise invalid("conversationId", "This connection has too many subscriptions.")
        active = arrivals.active.pk if arrivals.active is not None else None
        answer = Subscribed(conversation_id=name, active_run_id=active, reply_to=frame.id)
        await self._send(dumps(answer))
        subscription = Subscription(
            arrivals,
            self.followed,
            self._encoding(frame.options),
            tell=lambda error: self._send(frames.error(error)),
        )
        self._subscriptions[name] = subscription
        subscription.start()

    async def _unsubscribe(self, name: str) -> None:
        if (subscription := self._subscriptions.pop(name, None)) is not None:
            await subscription.stop()

    def _ended(self, run: Run, done: bool) -> None:
        self._timers.touch()
        if done:
            self._started.pop(run.pk, None)
            if self._identity.ticketed and not self._subscriptions:
                self._timers.end([], 1000, "Done")  # the one stream that it was for
        else:
            self._timers.end([frames.reconnect()], 1012, "Resume")

    def _encoding(self, options: native.Options) -> Encoding:
        asked = self._options | options
        visibility = visibility_of(self._identity.known(), deltas=asked.deltas)
        return Encoding(ENCODERS[self.protocol], Selection(visibility, merge=asked.merge))
