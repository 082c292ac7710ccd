"""The files that come within a request of a foreign protocol: stored as those of `/api/files`."""

from django.conf import settings
from msgspec.structs import replace

from agents.caller import Caller
from core.database import database_step
from engine.errors import ClawError, invalid
from engine.text import storable
from files import access
from files.inspection.process import inspected
from files.inspection.result import Refused
from wire import parse
from wire.facade.files import SentFile
from wire.facade.history import ForeignRequest


async def with_files(caller: Caller, chat: ForeignRequest, body_bytes: int = 0) -> ForeignRequest:
    """The request with its files stored, so far of no message. `body_bytes`: of the whole request,
    where all of it counts.

    Raises `invalid_message` for too many files or one that is refused, and `message_too_large` for
    a file, or for what the request has besides them."""
    sent = [file for of_one in chat.files for file in of_one]
    _check(sent, body_bytes)
    if not sent:
        return chat
    placed = [[await _stored(caller, file) for file in of_one] for of_one in chat.files]
    ids = [file_id for of_one in placed for file_id in of_one]
    return replace(chat, placed=placed, attachments=ids)


def _check(sent: list[SentFile], body_bytes: int) -> None:
    most, largest = settings.CLAW_MAX_FILES_PER_MESSAGE, settings.CLAW_MAX_FILE_BYTES
    if len(sent) > most:
        raise invalid(sent[most].field, f"A request has at most {most} files.")
    if any(len(file.content) > largest for file in sent):
        raise ClawError("message_too_large", f"A file has at most {largest} bytes.")
    encoded = sum(len(file.content) * 4 // 3 for file in sent)
    if body_bytes - encoded > settings.CLAW_TRANSPORT_MAX_BYTES:
        raise parse.too_large(settings.CLAW_TRANSPORT_MAX_BYTES)


async def _stored(caller: Caller, file: SentFile) -> str:
    """The id of a file."""
    if file.id:
        return file.id
    try:
        found = await inspected(file.content)
    except Refused as refused:
        raise invalid(file.field, str(refused)) from None
    row = await database_step(access.add_file, caller, storable(file.name), found)
    return str(row.pk)
