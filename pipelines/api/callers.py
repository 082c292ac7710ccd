"""The rights to see and to change the pipelines of an organisation."""

from agents.access import require_every_agent
from agents.caller import Caller


def reader(caller: Caller) -> str:
    """The organisation whose pipelines the caller may see. Raises `forbidden`."""
    caller.principal.require("pipelines:read")
    require_every_agent(caller)
    return caller.principal.organization_id


def writer(caller: Caller) -> str:
    """The organisation whose pipelines the caller may change. Raises `forbidden`."""
    caller.principal.require("pipelines:write")
    require_every_agent(caller)
    return caller.principal.organization_id
