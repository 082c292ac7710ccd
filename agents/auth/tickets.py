"""Stream tickets: the credential of an EventSource, which sets no headers. Each opens one stream.

They are rows, so that every process knows them: a ticket starts one thing once, and a client that
comes back with its address goes on with that. Only the ticket's digest is kept."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.utils import timezone

from agents import access
from agents.auth import key_holders, visitors
from agents.caller import Address, Caller
from agents.config import no_such_agent
from agents.models import StreamTicket
from agents.principal import Kind
from agents.public import visited
from core.database import database_step
from engine.errors import ClawError
from engine.ids import base62

PREFIX = "claw_ticket_"
RANDOM_LENGTH = 43  # 256 bits


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """A ticket as it was found. `subject` is what it is for, as its maker said it; `run_id` is the
    run that it has started. `fresh`: it may still open a stream; `opened`: it has opened one, and
    may go on with it. `maker` derives the caller who has made it, with the rights of now."""

    digest: str
    subject: dict[str, Any]
    run_id: str
    fresh: bool
    opened: bool
    maker: Callable[[], Awaitable[Caller]] = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """The id of its message, which is asked once."""
        return f"ticket:{self.digest[:32]}"


def make(
    caller: Caller, agent_id: str | None, page: str | None, subject: Any
) -> tuple[str, datetime]:
    """Store a ticket of the caller's, for an agent or, with an API key only, for none. Returns it,
    which cannot be shown again, and the time until which it opens a stream. Synchronous. Raises
    `forbidden` for a member."""
    purge()
    token = f"{PREFIX}{base62(RANDOM_LENGTH)}"
    expires_at = timezone.now() + timedelta(seconds=settings.CLAW_TICKET_TTL)
    maker = caller.principal
    if maker.kind is Kind.MEMBER:
        raise ClawError("forbidden", "A session opens streams by itself: it needs no ticket.")
    ends_at = maker.ends_unseen
    if ends_at is not None:
        expires_at = min(expires_at, ends_at)
    row = StreamTicket(
        digest=_digest(token),
        agent_id=agent_id,
        api_key_id=maker.key_id,
        owner=maker.owner,
        via=maker.via,
        origin=page or "",
        subject=subject,
        expires_at=expires_at,
        ends_at=ends_at,
    )
    row.save(force_insert=True)
    return token, expires_at


async def redeem(token: str, *, address: Address, origin: str | None) -> tuple[Caller, Ticket]:
    """The caller who has made the ticket, as if they asked now, and the ticket.

    Raises what `authorize` raises: a ticket opens nothing that its maker may no longer see."""
    row = await database_step(access.find_ticket, _digest(token))
    if row is None:
        raise ClawError("invalid_token", "Invalid token")
    maker = partial(_maker, row, address=address, origin=origin)
    caller = await maker()
    fresh = timezone.now() < row.expires_at
    if not (fresh or row.opened):
        raise _expired()
    return caller, Ticket(
        digest=row.digest,
        subject=row.subject,
        run_id=row.run_id,
        fresh=fresh,
        opened=row.opened,
        maker=maker,
    )


async def note_opened(ticket: Ticket, run_id: str = "") -> None:
    """Note that the ticket has opened its stream, and the run that it has started if it was for a
    message. The message itself is no longer kept with the ticket."""
    await database_step(access.open_ticket, ticket.digest, run_id)


def purge() -> int:
    """Delete some tickets that open nothing any more; returns how many, 0 when none are left."""
    return access.purge_tickets(before=timezone.now() - kept())


def kept() -> timedelta:
    """The time that a stream of a ticket may go on: as long as the longest run can be followed."""
    return timedelta(seconds=settings.CLAW_RUN_TIMEOUT + settings.CLAW_LOG_RETENTION)


async def _maker(row: StreamTicket, *, address: Address, origin: str | None) -> Caller:
    """The caller who has made a ticket, with the rights of now. Raises what `authorize` raises."""
    until = row.created_at + kept()
    if row.ends_at is not None:
        until = min(until, row.ends_at)
    if timezone.now() >= until:
        raise _expired()
    if row.agent_id is None and row.api_key is not None:
        return await key_holders.authorize_key(row.api_key.digest, address, origin)
    agent = await visited.find({row.agent_id or "", *address.names})
    if agent is None:
        raise no_such_agent()
    if row.api_key is not None:
        return await key_holders.authorize_key(
            row.api_key.digest, Address(agent_id=row.agent_id), origin
        )
    if not agent.welcomes and agent.identity_secret is None:
        raise no_such_agent()
    if row.via != agent.voucher(row.owner):
        raise ClawError("invalid_token", "Invalid token")
    page = visitors.page_of(origin, address)
    if (row.origin and page != row.origin) or (
        page is not None and not agent.allows(page, address)
    ):
        raise visitors.forbidden_origin()
    principal = agent.visitor(row.owner, until)
    return Caller(principal=principal, agent=agent.config, readable=page is not None)


def _expired() -> ClawError:
    """The error for a ticket whose time is over."""
    return ClawError("token_expired", "This ticket has expired.")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
