"""The resources of the MCP server: what a client may read, never change."""

from typing import Any

from agents.caller import Caller
from conversations import access
from conversations.history.export import MarkdownExport
from conversations.history.page import page_of_messages
from conversations.models import Conversation
from conversations.transports.http import visibility_of
from core.http import Page, newest
from engine.errors import ClawError
from knowledge import access as knowledge
from knowledge.models import Document
from wire.facade.mcp import (
    CONVERSATIONS,
    DOCUMENTS,
    KINDS,
    no_cursor,
    no_resource,
    resource_contents,
    resource_page,
)

ON_A_PAGE = 100
MAX_MESSAGES = 100
MAX_CHARACTERS = 500_000
"""Of a document: a client has to take it in one piece."""
SCOPES = {CONVERSATIONS: "conversations:read", DOCUMENTS: "agents:read"}


def listed(caller: Caller, cursor: str | None) -> dict[str, Any]:
    """The result of `resources/list`: the conversations, the latest first, then the documents;
    those that the caller may read. Synchronous. Raises `Refused` for a cursor that is none."""
    kind, _, before = (cursor or f"{KINDS[0]}:").partition(":")
    if kind not in KINDS:
        raise no_cursor()
    later = KINDS[KINDS.index(kind) + 1 :]
    rows: list[Any] = []
    if SCOPES[kind] in caller.principal.scopes:
        try:
            rows, left = _rows(caller, kind, Page(before=before or None, limit=ON_A_PAGE))
        except ClawError:
            raise no_cursor() from None
        if left is not None:
            return resource_page(kind, map(_named, rows), f"{kind}:{left}")
    return resource_page(kind, map(_named, rows), f"{later[0]}:" if later else None)


def contents(caller: Caller, uri: str) -> dict[str, Any]:
    """The result of `resources/read`. Synchronous. Raises `Refused` for what the caller has not."""
    kind, _, name = uri.removeprefix("clawsite://").partition("/")
    if kind not in KINDS or SCOPES[kind] not in caller.principal.scopes:
        raise no_resource(uri)
    try:
        if kind == CONVERSATIONS:
            conversation = access.conversation(caller, name)
            return resource_contents(uri, kind, _talk(caller, conversation))
        document = knowledge.readable_document(caller, name)
    except ClawError:
        raise no_resource(uri) from None
    return resource_contents(uri, kind, knowledge.text_of(document, MAX_CHARACTERS))


def _rows(caller: Caller, kind: str, page: Page) -> tuple[list[Any], str | None]:
    if kind == CONVERSATIONS:
        return newest(access.conversations(caller), page, by="last_message_at")
    return newest(knowledge.readable_documents(caller), page)


def _named(row: Conversation | Document) -> tuple[str, str]:
    return row.pk, " ".join(row.title.split()) or row.pk


def _talk(caller: Caller, conversation: Conversation) -> str:
    """The newest messages of a conversation, as a text."""
    page = page_of_messages(conversation, Page(limit=MAX_MESSAGES), visibility_of(caller))
    written = MarkdownExport()
    return written.begin(conversation) + written.add(page.messages)
