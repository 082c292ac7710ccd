"""`/api/files`: files for messages."""

from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError

from agents.caller import Caller
from core.database import database_step
from core.http import Answer
from engine.errors import ClawError, invalid
from engine.text import storable
from files import access
from files.inspection.process import inspected
from files.inspection.result import Refused
from files.models import File
from wire.objects.conversations import Attachment

HARMLESS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "private, max-age=3600",
}


async def create(request: HttpRequest, caller: Caller) -> Answer:
    """`POST /api/files`: 201; the file may come with a message then."""
    caller.principal.require("chat")
    caller.require_agent()
    name, content = _sent(request)
    try:
        found = await inspected(content)
    except Refused as refused:
        raise invalid("file", str(refused)) from None
    return Answer(shown(await database_step(access.add_file, caller, name, found)), 201)


async def show(request: HttpRequest, caller: Caller, file_id: str) -> HttpResponse:
    """`GET /api/files/{id}`: the content, as a type that runs nothing."""
    caller.principal.require("chat")
    row, content = await database_step(_read, caller, file_id)
    kind = "text/plain; charset=utf-8" if row.media_type == "text/plain" else row.media_type
    place = "inline" if row.media_type.startswith("image/") else "attachment"
    headers = {"Content-Disposition": f"{place}; filename*=UTF-8''{quote(row.name, safe='')}"}
    return HttpResponse(content, content_type=kind, headers={**HARMLESS, **headers})


def shown(row: File) -> Attachment:
    """A file as an object of the API."""
    return Attachment(id=row.pk, name=row.name, media_type=row.media_type, bytes=row.size)


def _read(caller: Caller, file_id: str) -> tuple[File, bytes]:
    row = access.file(caller, file_id)
    try:
        with row.content.open() as opened:
            return row, opened.read()
    except FileNotFoundError:
        raise ClawError("file_not_found", "There is no such file.") from None


def _sent(request: HttpRequest) -> tuple[str, bytes]:
    if request.content_type != "multipart/form-data":
        raise invalid("file", "Send the file as the part “file” of multipart/form-data.")
    try:
        file = request.FILES.get("file")
    except MultiPartParserError:
        raise invalid("file", "This is not valid multipart/form-data.") from None
    if file is None:
        raise invalid("file", "Send the file as the part “file”.")
    most = settings.CLAW_MAX_FILE_BYTES
    if file.size > most:
        raise ClawError("message_too_large", f"A file has at most {most} bytes.")
    return storable(file.name or ""), file.read()
