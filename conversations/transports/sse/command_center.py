"""The command center: what is under way in an organisation, and what happens in it."""

from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.timezone import now

from agents.access import agents_watched
from agents.caller import Caller
from conversations.feed.base import CursorLost
from conversations.feed.followers import Follower
from conversations.feed.minutes import last_hour
from conversations.feed.watch import Watch
from conversations.process.services import Services, services_of
from conversations.transports import admission
from conversations.transports.sse.streams import EventStream, StreamResponse
from core.database import database_step
from core.http import Answer
from engine.errors import Unavailable, invalid
from wire import feed, parse, sse

MAX_NAMES = 100  # in one list


async def state(request: HttpRequest, caller: Caller) -> HttpResponse:
    """`GET /api/command-center/state`."""
    watch = await watch_of(request, caller)
    return Answer((await _state(services_of(request.scope), watch))[1])


async def minutes(request: HttpRequest, caller: Caller) -> HttpResponse:
    """`GET /api/command-center/minutes`."""
    watch = await watch_of(request, caller)
    return Answer(feed.RecentMinutes(minutes=await last_hour(watch.principal, watch.agents)))


async def stream(request: HttpRequest, caller: Caller, watch: Watch) -> HttpResponseBase:
    """The state first, or what follows `Last-Event-ID`."""
    services = services_of(request.scope)
    slot = await admission.take_watch(services.limits, caller.principal)
    try:
        cursor, beginning = request.headers.get("last-event-id"), b""
        if cursor is None:
            cursor, beginning = await _beginning(services, watch)
        stream = CommandCenterStream(services, caller, watch, cursor, beginning)
        return StreamResponse(stream, services.limits, slot)
    except BaseException:  # also if the client leaves meanwhile
        await admission.release(services.limits, slot)
        raise


async def watch_of(request: HttpRequest, caller: Caller) -> Watch:
    """The view that the request asks for. Raises what `watch` raises."""
    caller.principal.require("monitor:read")
    agents = request.GET.get("agentIds", "").split(",")
    if "slug" in request.resolver_match.kwargs:  # the address names an agent
        agents = [request.resolver_match.kwargs["slug"]]
    return await watch(caller, agents, request.GET.get("eventTypes", "").split(","))


async def watch(caller: Caller, agent_ids: Collection[str], event_types: Collection[str]) -> Watch:
    """The view of these agents (ids or slugs) and types; none is all. Raises `forbidden`,
    `agent_not_found`, `invalid_message`."""
    caller.principal.require("monitor:read")
    names, types = _names("agentIds", agent_ids), _names("eventTypes", event_types)
    agents = await database_step(agents_watched, caller.principal, names)
    if unknown := types - feed.TYPES:
        raise invalid("eventTypes", f"There is no event type {min(unknown)}.")
    return Watch(caller.principal, names, agents, types or None)


def _names(field: str, given: Collection[str]) -> frozenset[str]:
    if len(given) > MAX_NAMES or "\0" in "".join(given):
        raise invalid(field, f"This is a list of at most {MAX_NAMES} names.")
    return frozenset(name.strip() for name in given) - {""}


async def _state(services: Services, watch: Watch) -> tuple[str, feed.CommandCenterState]:
    connections = services.connections.shown(watch.principal.organization_id)
    return await watch.state(services.feed, connections)


async def _beginning(services: Services, watch: Watch) -> tuple[str, bytes]:
    cursor, state = await _state(services, watch)
    return cursor, sse.feed_frame(cursor, parse.dumps(state))


class CommandCenterStream(EventStream):
    """Streams the events after a cursor; it stays open. It is no connection of the command
    center."""

    transport = None

    def __init__(
        self, services: Services, caller: Caller, watch: Watch, cursor: str, beginning: bytes
    ) -> None:
        super().__init__(services, caller)
        self._watch, self._cursor, self._beginning = watch, cursor, beginning
        self._shown = cursor
        self._follower: Follower | None = None

    async def look_again(self) -> None:
        """It ends where it would show something else: a new request is told."""
        if self.caller.again is not None:
            self.caller = await self.caller.again()
        principal, watch = self.caller.principal, self._watch
        principal.require("monitor:read")
        agents = await database_step(agents_watched, principal, watch.names)
        if (agents, principal.scopes) != (watch.agents, watch.principal.scopes):
            self._end()

    def _end(self) -> None:
        super()._end()
        if self._follower is not None:
            self._follower.stop()

    async def _body(self) -> AsyncGenerator[bytes, None]:
        yield sse.OPENING + self._beginning
        while not self._ended:
            try:
                async with aclosing(self._happening()) as frames:
                    async for frame in frames:
                        yield frame
            except CursorLost:
                try:
                    self._cursor, beginning = await _beginning(self._services, self._watch)
                except Unavailable:
                    return  # the client comes back, and is told
                self._shown = self._cursor
                yield sse.feed_frame("", parse.dumps(feed.Reset(at=now()))) + beginning

    async def _happening(self) -> AsyncGenerator[bytes, None]:
        """The frames after the cursor. Raises `CursorLost`."""
        organization_id = self._watch.principal.organization_id
        feed_of = self._services.feed
        async with feed_of.follow(organization_id, self._cursor) as follower:
            self._follower = follower
            while not self._ended:
                wait = settings.CLAW_KEEPALIVE_INTERVAL - self._silent_for()
                for cursor, data in await self._watch.select(await follower.next(max(wait, 0.0))):
                    self._shown = cursor or self._shown
                    yield sse.feed_frame(cursor, data)
                self._cursor = follower.cursor
                if self._silent_for() >= settings.CLAW_KEEPALIVE_INTERVAL and not self._ended:
                    yield self._keepalive()

    def _keepalive(self) -> bytes:
        if self._shown == self._cursor:
            return sse.KEEPALIVE
        self._shown = self._cursor
        return sse.position_frame(self._cursor)
