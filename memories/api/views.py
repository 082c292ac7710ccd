"""`/api/agents/{id}/memories`: what an agent remembers of one visitor."""

from django.http import HttpRequest, HttpResponse

from agents.caller import Caller
from core.http import Answer, newest, page_of
from engine.errors import invalid
from memories import access
from memories.api.objects import Memory, MemoryPage


def index(request: HttpRequest, caller: Caller) -> Answer:
    """`GET .../memories?visitor=`: the newest first."""
    caller.principal.require("agents:read")
    visitor = _visitor(request)
    rows, cursor = newest(access.of_visitor(caller, visitor), page_of(request))
    shown = [
        Memory(
            id=row.id, visitor=visitor, key=row.key, content=row.content, created_at=row.created_at
        )
        for row in rows
    ]
    return Answer(MemoryPage(memories=shown, next_cursor=cursor))


def clear(request: HttpRequest, caller: Caller) -> HttpResponse:
    """`DELETE .../memories?visitor=`: 204, all of this visitor's."""
    caller.principal.require("agents:write")
    access.of_visitor(caller, _visitor(request)).delete()
    return HttpResponse(status=204)


def delete(request: HttpRequest, caller: Caller, memory_id: str) -> HttpResponse:
    """`DELETE .../memories/{id}`: 204."""
    caller.principal.require("agents:write")
    access.delete(caller, memory_id)
    return HttpResponse(status=204)


def _visitor(request: HttpRequest) -> str:
    """The visitor whom the request names. Raises `invalid_message` without one."""
    visitor = request.GET.get("visitor", "")
    if not visitor or "\0" in visitor:
        raise invalid("visitor", "Name the visitor.")
    return visitor
