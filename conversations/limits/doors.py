"""The limits in words: what the doors ask, with no number in them."""

from dataclasses import replace

from django.conf import settings

from agents import tickets
from agents.authorize import authorize
from agents.caller import Address, AgentConfig, Caller
from agents.tickets import Ticket
from conversations import wiring
from conversations.limits.base import DAY, Window
from engine.errors import ClawError

SLOT_RETRY_MS = 5000  # nobody knows when a slot frees; soon enough to try again

# Anybody may ask for the pattern of `manage.py doctor`, which is open for half a minute.
DIAGNOSES, DIAGNOSES_PER_MINUTE = 20, 30


async def identify(
    token: str | None, *, address: Address, origin: str | None, client: str
) -> Caller:
    """`authorize`, with at most `CLAW_FAILED_AUTH_PER_MINUTE` wrong tokens an address.

    Beyond it only failing attempts are refused (`rate_limited`): a valid credential never is."""
    try:
        caller = await authorize(token, address=address, origin=origin)
        return replace(caller, client=client)
    except ClawError as error:
        # Who brings one that was good knows more than somebody who guesses.
        if error.status == 401 and error.code != "token_expired" and token:
            await count_failure(client)
        raise


async def redeem(
    token: str, *, address: Address, origin: str | None, client: str
) -> tuple[Caller, Ticket]:
    """`tickets.redeem`, with the same limit for wrong ones as `identify`."""
    try:
        caller, ticket = await tickets.redeem(token, address=address, origin=origin)
        return replace(caller, client=client), ticket
    except ClawError as error:
        if error.code == "invalid_token":
            await count_failure(client)
        raise


async def count_failure(client: str) -> None:
    """One wrong credential from this address. Raises `rate_limited`."""
    await _admit(
        "Too many wrong credentials.",
        Window(f"auth:{client}", settings.CLAW_FAILED_AUTH_PER_MINUTE),
    )


async def count_request(caller: Caller) -> None:
    """One HTTP request of a caller with a rate of its own. Raises `rate_limited`."""
    if caller.requests_per_minute is not None:
        await _admit(
            "Too many requests within a minute.",
            Window(f"caller:{caller.name}", caller.requests_per_minute),
        )


async def count_message(caller: Caller) -> None:
    """One message of a visitor: of his own, of his address' and of all visitors' together. One that
    is refused counts for none of them. Raises `rate_limited`."""
    if caller.messages_per_minute is None or caller.messages_per_day is None:
        return
    agent = caller.require_agent().id
    own, address = f"visitor:{caller.name}", f"visitors-at:{agent}:{caller.client}"
    by_address = settings.CLAW_VISITOR_MESSAGES_PER_ADDRESS
    daily = settings.CLAW_VISITOR_DAILY_MESSAGES_PER_ADDRESS
    await _admit(
        "Too many messages, try again later.",
        Window(own, caller.messages_per_minute),
        Window(f"{own}:day", caller.messages_per_day, DAY),
        Window(address, by_address),
        Window(f"{address}:day", daily, DAY),
        Window(f"visitors:{agent}", settings.CLAW_VISITOR_MESSAGES_PER_AGENT),
    )


async def count_visitor(agent: AgentConfig, client: str) -> None:
    """One session of a visitor, new or renewed. Raises `rate_limited`."""
    limit = settings.CLAW_VISITOR_SESSIONS_PER_ADDRESS
    await _admit("Too many sessions from here.", Window(f"sessions:{agent.id}:{client}", limit))


async def take_socket(caller: Caller) -> tuple[str, ...]:
    """One of the WebSocket connections of the caller's agent; returns the slots' names, to be
    released. Raises `too_many_connections`."""
    agent = caller.require_agent().id
    return await _take_for(caller, f"socket:{agent}", settings.CLAW_MAX_CONNECTIONS_PER_AGENT)


async def take_stream(caller: Caller, agent_id: str) -> tuple[str, ...]:
    """One of the agent's HTTP streams. Raises `too_many_connections`."""
    return await _take_for(caller, f"stream:{agent_id}", settings.CLAW_MAX_STREAMS_PER_AGENT)


async def take_unauthenticated(client: str) -> str:
    """One of an address' sockets that have not said who they are. Raises
    `too_many_connections`."""
    return await _take(f"stranger:{client}", settings.CLAW_MAX_UNAUTHENTICATED_PER_ADDRESS)


async def take_diagnosis(client: str) -> str:
    """One of the few diagnoses at a time, of the few that an address may make in a minute. Raises
    `rate_limited` and `too_many_connections`."""
    await _admit("Too many diagnoses.", Window(f"diagnosis:{client}", DIAGNOSES_PER_MINUTE))
    return await _take("diagnosis", DIAGNOSES)


async def release(*names: str) -> None:
    """Give slots back."""
    for name in names:
        await wiring.services().limits.release(name)


async def _admit(problem: str, *windows: Window) -> None:
    if wait := await wiring.services().limits.admit(*windows):
        raise ClawError("rate_limited", problem, retry_after=wait)


async def _take_for(caller: Caller, name: str, limit: int) -> tuple[str, ...]:
    """A visitor's own places come first: who has none left takes none of the others'."""
    wanted = [(name, limit)]
    if not caller.trusted:
        by_address = settings.CLAW_VISITOR_CONNECTIONS_PER_ADDRESS
        wanted.insert(0, (f"{name}:at:{caller.client}", by_address))
        wanted.insert(0, (f"{name}:of:{caller.owner}", settings.CLAW_VISITOR_CONNECTIONS))
    taken: list[str] = []
    try:
        for place, most in wanted:
            taken.append(await _take(place, most))
    except BaseException:  # also if the client leaves meanwhile
        await release(*taken)
        raise
    return tuple(taken)


async def _take(name: str, limit: int) -> str:
    if not await wiring.services().limits.acquire(name, limit):
        raise ClawError(
            "too_many_connections", "Too many connections are open.", retry_after=SLOT_RETRY_MS
        )
    return name
