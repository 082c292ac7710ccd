"""The caller of one socket: how it becomes known, is looked up again, and what it holds."""

from collections.abc import Callable

from agents.auth.tickets import Ticket
from agents.caller import Address, Caller
from conversations.limits.base import Limits
from conversations.transports import admission
from engine.errors import ClawError, Unavailable
from wire import native


class SocketIdentity:
    """The identity of a socket: none until the first `auth` or ticket, then one caller whose rights
    are looked up again.

    `client` and `origin` are the socket's; `address` makes the address of an agent that a frame
    names."""

    def __init__(
        self,
        limits: Limits,
        client: str,
        origin: str | None,
        address: Callable[[str | None], Address],
    ) -> None:
        self.caller: Caller | None = None
        self.ticketed = False
        """Whether a ticket has opened the socket: then it is for one stream."""
        self._limits = limits
        self._client, self._origin, self._address = client, origin, address
        self._token: str | None = None
        self._slots: dict[str, tuple[str, ...]] = {}

    async def enter(self) -> None:
        """Take one of the places of strangers, before a socket without a token is accepted. Raises
        `too_many_connections`."""
        slot = await admission.take_unauthenticated(self._limits, self._client)
        self._slots["stranger"] = (slot,)

    async def authenticate(self, frame: native.Auth) -> Caller:
        """Become known by the first `auth`, or renew by a second one, which cannot change the
        identity. Raises what `admission.identify` raises, and `forbidden`."""
        caller = await self._identify(frame.token, frame.agent_id)
        before = self.caller
        caller.require_agent()
        if before is not None and before.identity != caller.identity:
            raise ClawError("forbidden", "A connection cannot change its identity.")
        native.check_conversation(frame.conversation_id)
        if before is None:
            await self._admit(caller)
        self.caller, self._token = caller, frame.token
        return caller

    async def redeem(self, token: str) -> tuple[Caller, Ticket]:
        """Become known by a ticket. Raises what `admission.redeem` raises, and `token_expired`."""
        caller, ticket = await admission.redeem(
            self._limits,
            token,
            address=self._address(None),
            origin=self._origin,
            client=self._client,
        )
        if not ticket.fresh:
            raise ClawError("token_expired", "This ticket has expired.")
        await self._admit(caller)
        self.caller, self.ticketed = caller, True
        return caller, ticket

    def known(self) -> Caller:
        """The caller. Raises `auth_required` before there is one."""
        if self.caller is None:
            raise ClawError("auth_required", "Authenticate first.")
        return self.caller

    async def look(self) -> Caller:
        """The caller with the rights of now. A caller that is refused now is no longer known, which
        closes the socket. Raises what `admission.identify` raises."""
        known = self.known()
        if known.again is None:
            return known
        try:
            self.caller = await known.again()
        except Unavailable:
            raise
        except ClawError:
            self.caller = None
            raise
        return self.caller

    async def addressed(self, agent_id: str | None) -> Caller:
        """The caller as it asks another agent of its key, or its own (None)."""
        known = self.known()
        return known if agent_id is None else await self._identify(self._token, agent_id)

    async def release(self) -> None:
        """Give back all places."""
        for kind in list(self._slots):
            await self._give_back(kind)

    async def _admit(self, caller: Caller) -> None:
        await admission.count_request(self._limits, caller)
        self._slots["socket"] = await admission.take_socket(self._limits, caller)
        await self._give_back("stranger")

    async def _give_back(self, kind: str) -> None:
        await admission.release(self._limits, *self._slots.pop(kind, ()))

    async def _identify(self, token: str | None, agent_id: str | None) -> Caller:
        return await admission.identify(
            self._limits,
            token,
            address=self._address(agent_id),
            origin=self._origin,
            client=self._client,
        )
