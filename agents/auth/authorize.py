"""From a credential and an address to the caller."""

from typing import TypeAlias

from agents.auth import key_format, signing, visitor_tokens
from agents.auth.identity import authorize_user
from agents.auth.key_holders import authorize_key
from agents.auth.members import Session, authorize_member
from agents.auth.signing import ForeignToken
from agents.auth.visitors import authorize_visitor
from agents.caller import Address, Caller
from engine.errors import ClawError

Credential: TypeAlias = str | Session
"""Proof of the asker's identity: a token, or the session of a member."""


async def authorize(
    credential: Credential | None, *, address: Address, origin: str | None
) -> Caller:
    """The caller who presents a credential: an API key, a visitor's token, a token in which an
    organisation names a user of its own, or a member's session. `origin` is the browser's `Origin`
    header, if any.

    Each kind finds its agent, checks the page, and makes the principal. It costs no query while
    the key or agent is cached, else one database step. Raises `auth_required`, `invalid_token`,
    `token_expired`, `key_revoked`, `forbidden` (origin), `agent_not_found`, `agent_mismatch`,
    `not_found` (organisation), and `unavailable` without the database."""
    if not credential:
        raise ClawError("auth_required", "Authentication is required.")
    if isinstance(credential, Session):
        return await authorize_member(credential, address, origin)
    token = credential
    if not signing.is_signed(token):
        return await authorize_key(key_format.read(token), address, origin)
    try:
        visitor = visitor_tokens.read(token)
    except ForeignToken:  # it may be signed by an organisation
        return await authorize_user(token, address, origin)
    return await authorize_visitor(visitor, address, origin)
