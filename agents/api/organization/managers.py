"""The callers who manage an organisation and its people."""

from accounts import access
from accounts.members import Manager
from agents.access import require_every_agent
from agents.caller import Caller
from agents.principal import Kind
from engine.errors import ClawError


def manager(caller: Caller) -> Manager:
    """The caller as somebody who manages members; a key is never an owner. Raises `forbidden`."""
    caller.principal.require("admin")
    require_every_agent(caller)
    principal = caller.principal
    owner = principal.kind is Kind.MEMBER and access.is_owner(
        principal.organization_id, principal.id
    )
    return Manager(principal.organization_id, owner)


def check_may_delete(caller: Caller) -> None:
    """Raise `forbidden` unless the caller may delete the organisation: an owner by session, or a
    key with the scope `admin`."""
    if not manager(caller).is_owner and caller.principal.kind is Kind.MEMBER:
        raise ClawError("forbidden", "Only an owner deletes the organisation.")
