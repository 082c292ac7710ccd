"""The limits in words: what each door asks before it lets a request in, with no number in it."""

from dataclasses import replace
from functools import partial

from django.conf import settings

from agents.auth import tickets
from agents.auth.authorize import Credential, authorize
from agents.auth.tickets import Ticket
from agents.caller import Address, Caller
from agents.config import AgentConfig
from agents.principal import Principal
from conversations.limits.base import DAY, Limits, Window
from core.networks import network_of
from core.tracing import trace
from engine.errors import ClawError
from engine.ids import joined
from wire.errors import status_of

SLOT_RETRY_MS = 5000  # nobody knows when a slot frees; soon enough to try again

# Anybody may ask for the pattern of `manage.py doctor`, which is open for half a minute.
DIAGNOSES, DIAGNOSES_PER_MINUTE = 20, 30

LETTERS_OF_ONE, LETTERS_AT_ADDRESS, LETTERS_OF_ALL = 10, 50, 1000
"""Messages to people, and mails, that one sender, one network address and the callers of one
organisation may send in a day."""

MAX_WATCHES = 100
"""Streams of one organisation's command center: each costs a look into the feed now and then."""


async def identify(
    limits: Limits,
    credential: Credential | None,
    *,
    address: Address,
    origin: str | None,
    client: str,
) -> Caller:
    """`authorize`, with at most `CLAW_FAILED_AUTH_PER_MINUTE` wrong tokens from one address.

    Beyond that only failing attempts are refused (`rate_limited`); a valid credential never is."""
    try:
        caller = await authorize(credential, address=address, origin=origin)
    except ClawError as error:
        # A token that was good once, or is signed with the right key, is no guess.
        guessed = error.code != "token_expired" and error.details is None
        presented = isinstance(credential, str) and bool(credential)
        if status_of(error) == 401 and guessed and presented:
            await count_failure(limits, client)
        raise
    trace(organization=caller.principal.organization_id)
    if caller.agent is not None and not address.names:  # it stays that one
        address = replace(address, agent_id=caller.agent.id)
    return caller.lasting(client, partial(authorize, credential, address=address, origin=origin))


async def redeem(
    limits: Limits, token: str, *, address: Address, origin: str | None, client: str
) -> tuple[Caller, Ticket]:
    """`tickets.redeem`, with the same limit for wrong tickets as `identify`."""
    try:
        caller, ticket = await tickets.redeem(token, address=address, origin=origin)
    except ClawError as error:
        if error.code == "invalid_token":
            await count_failure(limits, client)
        raise
    trace(organization=caller.principal.organization_id)
    return caller.lasting(client, ticket.maker), ticket


async def count_failure(limits: Limits, client: str) -> None:
    """One wrong credential from this address. Raises `rate_limited`."""
    await _admit(
        limits,
        "Too many wrong credentials.",
        Window(joined("auth", network_of(client)), settings.CLAW_FAILED_AUTH_PER_MINUTE),
    )


async def count_request(limits: Limits, caller: Caller) -> None:
    """One request of a caller with a rate of its own: over HTTP, or a WebSocket's frame that asks
    for something. Raises `rate_limited`."""
    principal = caller.principal
    if (limit := principal.allowance.requests_per_minute) is not None:
        window = Window(joined("caller", principal.id), limit)
        await _admit(limits, "Too many requests within a minute.", window)


async def count_message(limits: Limits, caller: Caller) -> None:
    """One message of a visitor. It counts for the visitor, for the address and for all visitors of
    the agent together; a message that is refused counts for none of them. Raises
    `rate_limited`."""
    allowance = caller.principal.allowance
    if allowance.messages_per_minute is None or allowance.messages_per_day is None:
        return
    agent = caller.require_agent().id
    own = "visitor", caller.principal.id
    address = "visitors-at", agent, network_of(caller.client)
    by_address = settings.CLAW_VISITOR_MESSAGES_PER_ADDRESS
    daily = settings.CLAW_VISITOR_DAILY_MESSAGES_PER_ADDRESS
    await _admit(
        limits,
        "Too many messages, try again later.",
        Window(joined(*own), allowance.messages_per_minute),
        Window(joined(*own, "day"), allowance.messages_per_day, DAY),
        Window(joined(*address), by_address),
        Window(joined(*address, "day"), daily, DAY),
        Window(joined("visitors", agent), settings.CLAW_VISITOR_MESSAGES_PER_AGENT),
    )


async def count_contact(limits: Limits, caller: Caller) -> None:
    """One message to the people behind an agent. Raises `rate_limited`."""
    await _admit(limits, "Too many messages today.", *_letters("contact", caller))


async def count_transcript(limits: Limits, caller: Caller) -> None:
    """One conversation by mail. Raises `rate_limited`."""
    await _admit(limits, "Too many mails today.", *_letters("transcript", caller))


def _letters(kind: str, caller: Caller) -> tuple[Window, ...]:
    """The sender's own letters of a day, those of the address, and those of the organisation."""
    principal = caller.principal
    return (
        Window(joined(kind, principal.id, principal.owner), LETTERS_OF_ONE, DAY),
        Window(joined(kind, "at", network_of(caller.client)), LETTERS_AT_ADDRESS, DAY),
        Window(joined(kind, "all", principal.organization_id), LETTERS_OF_ALL, DAY),
    )


async def count_visitor(limits: Limits, agent: AgentConfig, client: str) -> None:
    """One session of a visitor, new or renewed. Raises `rate_limited`."""
    limit = settings.CLAW_VISITOR_SESSIONS_PER_ADDRESS
    name = joined("sessions", agent.id, network_of(client))
    await _admit(limits, "Too many sessions from here.", Window(name, limit))


async def take_socket(limits: Limits, caller: Caller) -> tuple[str, ...]:
    """One of the WebSocket connections of the caller's agent; returns the slots' names, to be
    released. Raises `too_many_connections`."""
    agent = caller.require_agent().id
    return await _take_for(limits, caller, "socket", agent, settings.CLAW_MAX_CONNECTIONS_PER_AGENT)


async def take_stream(limits: Limits, caller: Caller, agent_id: str) -> tuple[str, ...]:
    """One of the places of the agent's event streams, also for a request that waits for a whole
    answer. Raises `too_many_connections`."""
    return await _take_for(limits, caller, "stream", agent_id, settings.CLAW_MAX_STREAMS_PER_AGENT)


async def take_watch(limits: Limits, principal: Principal) -> str:
    """One of the places of an organisation's command center. Raises `too_many_connections`."""
    return await _take(limits, joined("watch", principal.organization_id), MAX_WATCHES)


async def take_unauthenticated(limits: Limits, client: str) -> str:
    """One of an address' sockets that have not said who they are. Raises
    `too_many_connections`."""
    name = joined("stranger", network_of(client))
    return await _take(limits, name, settings.CLAW_MAX_UNAUTHENTICATED_PER_ADDRESS)


async def take_diagnosis(limits: Limits, client: str) -> str:
    """One of the few diagnoses at a time, of the few that an address may make in a minute. Raises
    `rate_limited` and `too_many_connections`."""
    name = joined("diagnosis", network_of(client))
    await _admit(limits, "Too many diagnoses.", Window(name, DIAGNOSES_PER_MINUTE))
    return await _take(limits, "diagnosis", DIAGNOSES)


async def release(limits: Limits, *names: str) -> None:
    """Give slots back."""
    for name in names:
        await limits.release(name)


async def _admit(limits: Limits, problem: str, *windows: Window) -> None:
    if wait := await limits.admit(*windows):
        raise ClawError("rate_limited", problem, retry_after=wait)


async def _take_for(
    limits: Limits, caller: Caller, kind: str, agent_id: str, limit: int
) -> tuple[str, ...]:
    """A visitor's own places come first: a caller without any left takes none of the others'."""
    wanted = [(joined(kind, agent_id), limit)]
    if not caller.principal.trusted:
        by_address = settings.CLAW_VISITOR_CONNECTIONS_PER_ADDRESS
        at, of = network_of(caller.client), caller.principal.owner
        wanted.insert(0, (joined(kind, agent_id, "at", at), by_address))
        wanted.insert(0, (joined(kind, agent_id, "of", of), settings.CLAW_VISITOR_CONNECTIONS))
    taken: list[str] = []
    try:
        for place, most in wanted:
            taken.append(await _take(limits, place, most))
    except BaseException:  # also if the client leaves meanwhile
        await release(limits, *taken)
        raise
    return tuple(taken)


async def _take(limits: Limits, name: str, limit: int) -> str:
    if not await limits.acquire(name, limit):
        raise ClawError(
            "too_many_connections", "Too many connections are open.", retry_after=SLOT_RETRY_MS
        )
    return name
