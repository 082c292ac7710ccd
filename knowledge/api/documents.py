"""`/api/agents/{id}/documents`: what an agent may answer from."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from msgspec import UNSET

from agents.caller import Caller
from core.http import Answer, newest, page_of, read
from engine.errors import ClawError, invalid
from engine.http.guard import AddressRefused
from engine.text import is_blank, storable
from knowledge import access, models
from knowledge.api import objects
from knowledge.extraction.kinds import ENDINGS, kind_of
from knowledge.search.search import find as found_for
from knowledge.web import REFUSED, guard
from wire.parse import check_storable

SEARCH_TOKENS = 8000
"""Of all passages of one answer."""
_new = msgspec.json.Decoder(objects.NewDocument)
_search = msgspec.json.Decoder(objects.Search)


class Given(NamedTuple):
    """A document as a request brings it."""

    title: str
    kind: str = ""
    content: bytes = b""
    url: str = ""


def index(request: HttpRequest, caller: Caller) -> HttpResponse:
    """`GET /api/agents/{id}/documents`: the newest first."""
    caller.principal.require("agents:read")
    rows, cursor = newest(access.documents(caller), page_of(request))
    return Answer(objects.DocumentPage(documents=list(map(_shown, rows)), next_cursor=cursor))


def create(request: HttpRequest, caller: Caller) -> Answer:
    """`POST /api/agents/{id}/documents`: 202; the document is indexed afterwards."""
    caller.principal.require("agents:write")
    multipart = request.content_type == "multipart/form-data"
    given = _file(request) if multipart else _written(request)
    if len(given.content) > settings.CLAW_MAX_DOCUMENT_BYTES:
        raise ClawError(
            "message_too_large", f"A document has at most {settings.CLAW_MAX_DOCUMENT_BYTES} bytes."
        )
    return Answer(_shown(access.add_document(caller, **given._asdict())), 202)


def show(request: HttpRequest, caller: Caller, document_id: str) -> HttpResponse:
    """`GET /api/agents/{id}/documents/{documentId}`."""
    caller.principal.require("agents:read")
    return Answer(_shown(access.document(caller, document_id)))


def fetch_again(request: HttpRequest, caller: Caller, document_id: str) -> Answer:
    """`POST /api/agents/{id}/documents/{documentId}/fetch`: 202; the page is fetched again."""
    caller.principal.require("agents:write")
    return Answer(_shown(access.fetch_again(access.document(caller, document_id))), 202)


def delete(request: HttpRequest, caller: Caller, document_id: str) -> HttpResponse:
    """`DELETE /api/agents/{id}/documents/{documentId}`: 204; from then on nobody finds it."""
    caller.principal.require("agents:write")
    access.delete_document(access.document(caller, document_id))
    return HttpResponse(status=204)


async def find(request: HttpRequest, caller: Caller) -> Answer:
    """`POST /api/agents/{id}/search`: what the agent would find."""
    caller.principal.require("agents:read")
    asked, agent = read(_search, request), caller.require_agent()
    found = await found_for(agent, asked.query, limit=asked.limit, tokens=SEARCH_TOKENS)
    results = [
        objects.Result(score=score, **_fields(msgspec.structs.asdict(source)))
        for source, score in found
    ]
    return Answer(objects.Results(results=results))


def _written(request: HttpRequest) -> Given:
    body = read(_new, request)
    title, text, url = (value or "" for value in (body.title, body.text, body.url))
    if bool(text) == bool(url):
        raise invalid("text", "A document has either a text or a url.")
    for field, value in (("title", title), ("text", text)):
        check_storable(field, value)
        if is_blank(value) and not url:
            raise invalid(field, "There is nothing in this text.")
    if not url:
        return Given(title, "markdown", text.encode())
    try:
        guard().check_url(url)
    except AddressRefused:
        raise invalid("url", REFUSED) from None
    return Given(title.strip(), url=url)


def _file(request: HttpRequest) -> Given:
    try:
        file = request.FILES.get("file")
    except MultiPartParserError:
        raise invalid("file", "This is not valid multipart/form-data.") from None
    if file is None:
        raise invalid("file", "Send the document as the part “file”.")
    content, name = file.read(), storable(file.name or "")
    kind = kind_of(name, file.content_type or "", content)
    if kind is None:
        raise invalid("file", f"A document is one of: {', '.join(sorted(set(ENDINGS.values())))}.")
    return Given(storable(request.POST.get("title", "")).strip() or name, kind, content)


def _shown(row: models.Document) -> objects.Document:
    return objects.Document(
        id=row.id,
        title=row.title or row.url,  # a page says its title once it is fetched
        status=row.status,
        chunks=row.chunk_count,
        bytes=row.size,
        created_at=row.created_at,
        url=row.url or UNSET,
        error=row.error or UNSET,
    )


def _fields(source: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in source.items() if value is not None}
