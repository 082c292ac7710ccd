"""The only way to the rows of files and to their contents: every function says whose they are."""

from collections.abc import Collection, Sequence
from datetime import timedelta

from django.conf import settings
from django.core.files.base import ContentFile
from django.db.models import Q, QuerySet, Sum
from django.utils import timezone

from agents.access import opened_by
from agents.caller import Caller
from engine.errors import ClawError, invalid
from files.inspection.result import Inspected
from files.models import File

MAX_ERASED = 50
"""Files in one step."""
MAX_UNUSED = 20
"""Files of one visitor that came with no message yet: nobody fills the room of an organisation."""
UNUSED = timedelta(days=1)
"""A file that came with no message by then is deleted by `purge`."""


def add_file(caller: Caller, name: str, found: Inspected) -> File:
    """Store a file that is of no message yet. Raises `message_too_large` where the organisation has
    no room left, and `invalid_message` for a visitor with too many files that are of none."""
    unused = _of(caller).filter(conversation_id="").count()
    if not caller.principal.trusted and unused >= MAX_UNUSED:
        raise invalid("file", "Send a message with the files that you have sent already.")
    organization_id, most = caller.principal.organization_id, settings.CLAW_MAX_STORED_FILE_BYTES
    stored = File.objects.filter(organization=organization_id).aggregate(bytes=Sum("size"))["bytes"]
    if (stored or 0) + len(found.content) > most:
        raise ClawError("message_too_large", "Your organisation's files take up all their room.")
    row = File(
        organization_id=organization_id,
        agent_id=caller.require_agent().id,
        owner=caller.principal.owner,
        name=name[:255] or "file",
        media_type=found.media_type,
        size=len(found.content),
        tokens=found.tokens,
    )
    row.content.save(row.name, ContentFile(found.content), save=False)
    row.save(force_insert=True)
    return row


def file(caller: Caller, file_id: str) -> File:
    """A file of the caller's own. Raises `file_not_found`."""
    (row,) = files(caller, [file_id])
    return row


def files(caller: Caller, ids: Sequence[str]) -> list[File]:
    """The caller's own files, in the order of their ids. Raises `file_not_found`."""
    known = [file_id for file_id in ids if "\0" not in file_id]
    rows = _of(caller).in_bulk(known)
    if len(rows) < len(set(ids)):
        raise ClawError("file_not_found", "There is no such file.")
    return [rows[file_id] for file_id in ids]


def attach(caller: Caller, ids: Collection[str], conversation_id: str) -> None:
    """Make files part of a conversation, within the present transaction. Raises `file_not_found`,
    also for those of another conversation."""
    free = _of(caller).filter(Q(conversation_id="") | Q(conversation_id=conversation_id))
    mine = free.filter(pk__in=ids)
    if mine.count() < len(ids):
        raise ClawError(
            "file_not_found", "There is no such file, or it is of another conversation."
        )
    mine.update(conversation_id=conversation_id)


def contents(conversation_id: str, ids: Collection[str]) -> dict[str, bytes]:
    """The contents of files of a conversation, of those that are still there."""
    found = {}
    for row in File.objects.filter(conversation_id=conversation_id, pk__in=ids):
        try:
            with row.content.open() as opened:
                found[row.pk] = opened.read()
        except FileNotFoundError:  # it is being erased
            continue
    return found


def erase_of(conversation_ids: Collection[str]) -> bool:
    """Delete some files of these conversations; returns whether there were any."""
    return _erase(File.objects.filter(conversation_id__in=conversation_ids)) > 0


def erase_of_agent(agent_id: str) -> bool:
    """Delete some files of an agent; returns whether there were any."""
    return _erase(File.objects.filter(agent=agent_id)) > 0


def erase_unused() -> int:
    """Delete some files that came with no message within a day; returns how many."""
    old = timezone.now() - UNUSED
    return _erase(File.objects.filter(conversation_id="", created_at__lt=old))


def _erase(rows: QuerySet[File]) -> int:
    """The content goes before its row: what a crash leaves is found again."""
    some = list(rows[:MAX_ERASED])
    for row in some:
        row.content.delete(save=False)
    File.objects.filter(pk__in=[row.pk for row in some]).delete()
    return len(some)


def _of(caller: Caller) -> QuerySet[File]:
    """Those of all agents that the caller may ask, or of the one named."""
    principal, agent = caller.principal, caller.agent
    mine = File.objects.filter(organization=principal.organization_id, owner=principal.owner)
    return mine.filter(agent=agent.id) if agent else mine.filter(agent__in=opened_by(principal))
