"""Stream tickets: what an EventSource can show, which sets no headers. Each is good for one stream.

They are rows, so that every process knows them: what a ticket has started is started once, and
whoever comes back with its address goes on with that. Of the ticket itself a digest is kept."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts.database import database_step
from agents import access, authorize, keys, visited, visitors
from agents.caller import Address, Caller
from agents.models import StreamTicket
from engine.errors import ClawError
from engine.ids import base62

PREFIX = "claw_ticket_"
RANDOM_LENGTH = 43  # 256 bits


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """A ticket as it was found. `subject` is what it is for, as its maker said it; `run_id` the run
    that it has started. `fresh`: it may still open a stream; `opened`: it has, and may go on."""

    digest: str
    subject: dict[str, Any]
    run_id: str
    fresh: bool
    opened: bool

    @property
    def name(self) -> str:
        """Tells its message from all others: it is asked once."""
        return f"ticket:{self.digest[:32]}"


def make(caller: Caller, agent_id: str, page: str | None, subject: Any) -> tuple[str, datetime]:
    """Store a ticket of the caller's; returns it, which nobody can show again, and until when it
    opens a stream. Synchronous."""
    purge()
    token = f"{PREFIX}{base62(RANDOM_LENGTH)}"
    expires_at = timezone.now() + timedelta(seconds=settings.CLAW_TICKET_TTL)
    row = StreamTicket(
        digest=_digest(token),
        agent_id=agent_id,
        api_key_id=caller.key_id,
        owner=caller.owner,
        origin=page or "",
        subject=subject,
        expires_at=expires_at,
    )
    row.save(force_insert=True)
    return token, expires_at


async def redeem(token: str, *, address: Address, origin: str | None) -> tuple[Caller, Ticket]:
    """Who has made the ticket, as if they asked now, and what it is for.

    Raises what `authorize` raises: it opens nothing that its maker may not see any more."""
    row = await database_step(access.find_ticket, _digest(token))
    if row is None:
        raise ClawError("invalid_token", "Invalid token")
    agent = await visited.find({row.agent_id, *address.names})
    if agent is None:
        raise authorize.not_found()
    now = timezone.now()
    fresh = now < row.expires_at
    if now >= row.created_at + kept() or not (fresh or row.opened):
        raise ClawError("token_expired", "This ticket has expired.")
    ticket = Ticket(
        digest=row.digest, subject=row.subject, run_id=row.run_id, fresh=fresh, opened=row.opened
    )
    page = visitors.page(origin, address)
    if row.api_key is not None:
        narrow = Address(agent_id=row.agent_id)
        digest = row.api_key.digest
        key = await keys.of_digest(digest, authorize.names_of(narrow))
        return authorize.key_holder(key, narrow, origin), ticket
    if not agent.welcomes and agent.identity_secret is None:
        raise authorize.not_found()
    if (row.origin and page != row.origin) or (
        page is not None and not agent.allows(page, address)
    ):
        raise authorize.forbidden_origin()
    until = row.created_at + kept()
    return visitors.caller_of(agent, row.owner, until, readable=page is not None), ticket


async def note_opened(ticket: Ticket, run_id: str = "") -> None:
    """The ticket has opened its stream, and started this run if it was for a message; what was to
    be asked is now said there, and no longer kept here."""
    await database_step(access.open_ticket, ticket.digest, run_id)


def purge() -> int:
    """Delete what opens and goes on with nothing any more; returns how many tickets that were."""
    return access.purge_tickets(before=timezone.now() - kept())


def kept() -> timedelta:
    """For how long a stream that a ticket has opened can be gone on with: as long as the longest
    run can be followed."""
    return timedelta(seconds=settings.CLAW_RUN_TIMEOUT + settings.CLAW_LOG_RETENTION)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
