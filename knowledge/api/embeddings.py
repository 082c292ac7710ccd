"""`/api/embeddings`: the organisation's own server of vectors."""

import msgspec
from django.http import HttpRequest, HttpResponse

from agents.access import require_every_agent
from agents.caller import Caller
from core.http import Answer, read
from engine.errors import ClawError
from knowledge import access
from knowledge.api.objects import EmbeddingServer
from wire.parse import check_storable

_server = msgspec.json.Decoder(EmbeddingServer)


def show(request: HttpRequest, caller: Caller) -> Answer:
    """`GET /api/embeddings`."""
    return Answer(_shown(_owner(caller)))


def put(request: HttpRequest, caller: Caller) -> Answer:
    """`PUT /api/embeddings`: in place of an earlier one; all documents get new vectors."""
    owner = _owner(caller)
    given = read(_server, request)
    for name in ("url", "model", "secret"):
        check_storable(name, getattr(given, name))
    access.set_embedding_server(owner, url=given.url, model=given.model, secret=given.secret)
    return Answer(_shown(owner))


def remove(request: HttpRequest, caller: Caller) -> HttpResponse:
    """`DELETE /api/embeddings`: 204."""
    access.remove_embedding_server(_owner(caller))
    return HttpResponse(status=204)


def _owner(caller: Caller) -> str:
    """The organisation whose server the caller names. Raises `forbidden`."""
    caller.principal.require("admin")
    require_every_agent(caller)
    return caller.principal.organization_id


def _shown(organization_id: str) -> EmbeddingServer:
    row = access.embedding_server(organization_id)
    if row is None:
        raise ClawError("not_found", "There is no server of vectors.")
    return EmbeddingServer(url=row.url, model=row.model, secret=row.secret and row.secret.name)
