"""The rows that a caller reaches: its own, or those that its rights open."""

from django.db.models import Q

from agents.access import opened_by
from agents.caller import Caller

READING = ("monitor:read", "conversations:read")
"""The scopes of one who may read what others have said to the agents."""


def impossible(public_id: str) -> bool:
    """Whether no row can have this id: PostgreSQL fails when it is asked for a NUL. Those in
    addresses have none (`clawsite.http.refused`); those in bodies may."""
    return "\0" in public_id


def scope(caller: Caller, path: str = "", *, everybody: bool = False) -> Q:
    """Selects the caller's own, or everybody's that the caller's rights reach; `path` leads to a
    run from what is selected."""
    principal = caller.principal
    own: dict[str, object] = {"organization": principal.organization_id}
    if not everybody:
        own["owner"] = principal.owner
    if caller.agent is not None:
        own["agent"] = caller.agent.id
    else:
        own["agent__in"] = opened_by(principal)
    return Q(**{f"{path}{name}": value for name, value in own.items()})
