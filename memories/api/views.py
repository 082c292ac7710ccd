"""`/api/agents/{id}/memories`: what an agent remembers of one visitor; `/api/memories`: the visitor
sees that, and has it forgotten."""

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from agents.auth.visitors import visitor_of
from agents.caller import Caller
from core.http import Answer, newest, page_of
from engine.errors import invalid
from memories import access, models
from memories.api.objects import Memory, MemoryPage


def index(request: HttpRequest, caller: Caller) -> Answer:
    """`GET .../memories?visitor=`: the newest first."""
    caller.principal.require("agents:read")
    visitor = _visitor(request)
    return _page(request, access.of_visitor(caller, visitor), visitor)


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


def own(request: HttpRequest, caller: Caller) -> Answer:
    """`GET /api/memories`: a visitor's own, the newest first."""
    caller.principal.require("chat")
    visitor = visitor_of(caller.principal.owner) or ""
    return _page(request, access.own(caller), visitor)


def forget_all(request: HttpRequest, caller: Caller) -> HttpResponse:
    """`DELETE /api/memories`: 204, all of the visitor's own."""
    caller.principal.require("chat")
    access.own(caller).delete()
    return HttpResponse(status=204)


def forget(request: HttpRequest, caller: Caller, memory_id: str) -> HttpResponse:
    """`DELETE /api/memories/{id}`: 204."""
    caller.principal.require("chat")
    access.forget_own(caller, memory_id)
    return HttpResponse(status=204)


def _page(request: HttpRequest, memories: QuerySet[models.Memory], visitor: str) -> Answer:
    rows, cursor = newest(memories, page_of(request))
    shown = [
        Memory(
            id=row.id, visitor=visitor, key=row.key, content=row.content, created_at=row.created_at
        )
        for row in rows
    ]
    return Answer(MemoryPage(memories=shown, next_cursor=cursor))
