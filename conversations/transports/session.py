"""What a socket's frames do: who it is, what it asked, what it follows.

No handler waits for a run: it starts, cancels or moves a pump and returns, so that the next frame
(a `cancel`, say) is seen at once.
"""

import contextlib
from collections.abc import Awaitable, Callable

from django.conf import settings

from agents import tickets
from agents.caller import Address, Caller
from agents.tickets import Ticket
from conversations import runs
from conversations.limits import doors
from conversations.limits.memory import SlidingWindow
from conversations.models import Run
from conversations.transports import frames
from conversations.transports.keeper import Keeper
from conversations.transports.subscription import Subscription
from conversations.transports.tickets import asked, of_ticket
from conversations.transports.watching import Watching
from engine.errors import ClawError, invalid
from engine.ids import new_id
from engine.visibility import visible
from wire import native
from wire.frames import Pong, Subscribed
from wire.native import ChatRequest
from wire.parse import dumps
from wire.view import View

MOST_SUBSCRIPTIONS = 100


class Session:
    """The state of one socket, from its first frame on."""

    def __init__(
        self,
        client: str,
        origin: str | None,
        address: Callable[[str | None], Address],
        keeper: Keeper,
        send: Callable[[bytes], Awaitable[None]],
        write: Callable[[list[bytes]], bool] | None,
    ) -> None:
        self.caller: Caller | None = None
        self.watching = Watching(send=send, write=write, ended=self._ended)
        self._client, self._origin, self._address = client, origin, address
        self._keeper, self._send = keeper, send
        self._id = new_id("sess")
        self._token: str | None = None
        self._ticketed = False
        self._conversation: str | None = None
        self._options = native.Options()
        self._started: dict[str, Run] = {}
        self._subscriptions: dict[str, Subscription] = {}
        self._messages = SlidingWindow()
        self._slots: dict[str, tuple[str, ...]] = {}

    async def handle(self, frame: native.ClientFrame) -> None:
        """Do what a frame asks. Raises ClawError."""
        if not isinstance(frame, native.Auth):
            self._known()  # nothing else comes first, not even a ping
        if self._ticketed and not isinstance(frame, native.Ping | native.Pong):
            raise ClawError("forbidden", "A ticket opens one stream, and nothing else.")
        match frame:
            case native.Auth():
                await self.authenticate(frame)
            case native.Ping():
                await self._send(dumps(Pong(reply_to=frame.id)))
            case native.Pong():
                pass
            case native.Message():
                asking = frame.request(self._conversation)
                await self._ask(self._known(), asking, frame.options)
            case native.Chat():
                await self._ask(await self._addressed(frame), frame.request(), frame.options)
            case native.Cancel():
                await self._cancel(self._known(), frame)
            case native.Resume():
                await self._resume(self._known(), frame)
            case native.Subscribe():
                await self._subscribe(self._known(), frame)
            case native.Unsubscribe():
                await self._unsubscribe(frame.conversation_id)

    async def begin(self, token: str | None) -> None:
        """The socket is open; `token` came with the upgrade request. Raises ClawError."""
        if token is not None:
            await self.authenticate(native.Auth(token=token))
        else:
            self._slots["stranger"] = (await doors.take_unauthenticated(self._client),)

    async def authenticate(self, frame: native.Auth) -> None:
        """The first frame; a second one may renew, never change who this is."""
        caller = await self._authorize(frame.token, frame.agent_id)
        before = self.caller
        caller.require_agent()
        if before is not None and _identity(before) != _identity(caller):
            raise ClawError("forbidden", "A connection cannot change its identity.")
        native.check_conversation(frame.conversation_id)
        if before is None:
            self._slots["socket"] = await doors.take_socket(caller)
            await self._give_back("stranger")
        self._token, self._options = frame.token, frame.options
        self._conversation = frame.conversation_id or self._conversation
        await self._welcome(caller, frame)

    async def redeem(self, token: str) -> None:
        """The upgrade request has brought a ticket: the socket is the one stream that it opens.
        Raises ClawError."""
        caller, ticket = await doors.redeem(
            token, address=self._address(None), origin=self._origin, client=self._client
        )
        if not ticket.fresh:
            raise ClawError("token_expired", "This ticket has expired.")
        self._slots["socket"] = await doors.take_socket(caller)
        self._ticketed = True
        await self._welcome(caller, native.Auth(token=""))
        try:
            await self._open(caller, ticket)
        except ClawError as problem:  # there is nothing else that this socket could do
            self._keeper.fail(problem)

    async def _open(self, caller: Caller, ticket: Ticket) -> None:
        """What the ticket is for, as the frame would have it that asks for that."""
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
        self.caller, agent = caller, caller.require_agent()
        # What ends a key is found by the sweep; nobody but the token knows when a visitor's does.
        self._keeper.authenticated(until=None if caller.trusted else caller.expires_at)
        await self._send(frames.auth_ok(agent, self._id, frame.conversation_id, frame.id))

    async def release(self, *, leaving: bool) -> None:
        """Give back what the socket holds; end its runs where that was asked for, but not when
        it is the server that leaves (also because the client's token has expired)."""
        for name in list(self._subscriptions):
            await self._unsubscribe(name)
        await self.watching.stop()
        for kind in list(self._slots):
            await self._give_back(kind)
        for run in () if leaving else list(self._started.values()):
            if run.on_disconnect == "cancel":
                with contextlib.suppress(ClawError):
                    await runs.cancel(run)

    async def _give_back(self, kind: str) -> None:
        await doors.release(*self._slots.pop(kind, ()))

    def _known(self) -> Caller:
        if self.caller is None:
            raise ClawError("auth_required", "Authenticate first.")
        return self.caller

    async def _authorize(self, token: str | None, agent_id: str | None) -> Caller:
        return await doors.identify(
            token, address=self._address(agent_id), origin=self._origin, client=self._client
        )

    async def _addressed(self, frame: native.Chat) -> Caller:
        """The caller of a `chat`, which may name another agent of its key."""
        if frame.agent_id is None:
            return self._known()
        self._known()
        return await self._authorize(self._token, frame.agent_id)

    async def _ask(self, caller: Caller, request: ChatRequest, options: native.Options) -> Run:
        caller.require("chat")
        if wait := self._messages.wait(settings.CLAW_MAX_MESSAGES_PER_MINUTE):
            raise ClawError("rate_limited", "Too many messages within a minute.", retry_after=wait)
        await doors.count_message(caller)
        async with self.watching.turn:
            accepted = await runs.start(caller, request)
            run = accepted.run
            self._messages.count()
            await runs.check_kept(run)
            if run.agent_id == self._known().require_agent().id:  # a `chat` may name another
                self._conversation = run.conversation.public_id
            if accepted.new:  # a run that was met again is whoever's who started it
                self._started[run.pk] = run
            for subscription in self._subscriptions.values():
                if subscription.arrivals.conversation.pk == run.conversation_id:
                    subscription.skip(run)
            await self.watching.follow(run, 0, self._view(options))
            return run

    async def _cancel(self, caller: Caller, frame: native.Cancel) -> None:
        if frame.run_id is not None:
            await runs.cancel(await runs.find(caller, frame.run_id))
            return
        if frame.conversation_id is not None:
            await runs.cancel_conversation(caller, frame.conversation_id)
            return
        for run in list(self._started.values()):
            await runs.cancel(run)

    async def _resume(self, caller: Caller, frame: native.Resume) -> None:
        if frame.run_id is not None:
            run = await runs.find(caller, frame.run_id)
        else:
            run = await runs.latest(caller, frame.conversation_id or "")
        self._conversation = run.conversation.public_id
        view = self._view(frame.options)
        if frame.last_seq is None:
            after = await self.watching.snapshot(run, view, frame.id)
            if not await runs.kept(run):
                return  # the snapshot came from the history: nothing follows it
        else:
            after = frame.last_seq
            await runs.check_position(run, after)
        await self.watching.follow(run, after, view)

    async def _subscribe(self, caller: Caller, frame: native.Subscribe) -> None:
        name = frame.conversation_id
        arrivals = await runs.arrivals(caller, name)
        await self._unsubscribe(name)
        if len(self._subscriptions) >= MOST_SUBSCRIPTIONS:
            raise invalid("conversationId", "This connection has too many subscriptions.")
        active = arrivals.active.pk if arrivals.active is not None else None
        answer = Subscribed(conversation_id=name, active_run_id=active, reply_to=frame.id)
        await self._send(dumps(answer))
        subscription = Subscription(
            arrivals,
            self.watching,
            self._view(frame.options),
            tell=lambda error: self._send(frames.error(error)),
        )
        self._subscriptions[name] = subscription
        subscription.start()

    async def _unsubscribe(self, name: str) -> None:
        if (subscription := self._subscriptions.pop(name, None)) is not None:
            await subscription.stop()

    def _ended(self, run: Run, done: bool) -> None:
        self._keeper.touch()
        if done:
            self._started.pop(run.pk, None)
        else:
            self._keeper.end([frames.reconnect()], 1012, "Resume")

    def _view(self, options: native.Options) -> View:
        caller = self._known()
        agent = caller.require_agent()
        asked = self._options | options
        visibility = visible(
            trusted=caller.trusted,
            show_thinking=agent.show_thinking,
            show_tools=agent.show_tools,
            deltas=asked.deltas,
        )
        return View(visibility, merge=asked.merge)


def _identity(caller: Caller) -> tuple[str, str]:
    """What a second `auth` must leave as it is; the agent may have been edited since."""
    return caller.name, caller.require_agent().id
