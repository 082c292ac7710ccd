"""The files of a message, as its row names them and as a model is sent them."""

from base64 import b64encode
from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from django.conf import settings

from agents.caller import Caller
from engine.errors import invalid
from engine.request import file_block, text_block
from files import access
from files.accepts import accepted_kinds, kind_of

MAX_SENT = 20 * 1024 * 1024
"""Bytes of the files of one prompt: model servers take some 32 MB, and base64 adds a third. The
newest are sent."""


class Attached(msgspec.Struct, frozen=True, rename="camel"):
    """A file as the row of its message keeps it."""

    id: str
    name: str
    media_type: str
    bytes: int
    tokens: int = 0

    def stored(self) -> dict[str, Any]:
        """The value for the row."""
        return dict(msgspec.to_builtins(self))

    def block(self) -> dict[str, Any]:
        """The block of a turn, still without its content."""
        return {**file_block(self.name, self.media_type, self.tokens), "id": self.id}


def attached(caller: Caller, ids: Sequence[str], provider: str, model: str) -> tuple[Attached, ...]:
    """The caller's files, for a message to this model. Synchronous. Raises `file_not_found`, and
    `invalid_message` for what the model does not take."""
    if len(ids) > settings.CLAW_MAX_FILES_PER_MESSAGE or len(set(ids)) < len(ids):
        most = settings.CLAW_MAX_FILES_PER_MESSAGE
        raise invalid("attachments", f"A message has at most {most} files, each once.")
    rows, kinds = access.files(caller, ids), accepted_kinds(provider, model)
    for row in rows:
        if kind_of(row.media_type) not in kinds:
            raise invalid("attachments", f"This agent's model cannot read {row.name!r}.")
    return tuple(Attached(row.pk, row.name, row.media_type, row.size, row.tokens) for row in rows)


def sendable(
    conversation_id: str, blocks: Sequence[dict[str, Any]], kinds: Collection[str]
) -> dict[str, dict[str, Any]]:
    """What a model that takes these kinds is sent for each block of a file, by the files' ids; the
    newest comes last. One that cannot be sent is a text that says so. Synchronous."""
    left, found = MAX_SENT, {}
    wanted = [block["id"] for block in blocks if kind_of(block["media_type"]) in kinds]
    for block in reversed(blocks):
        content = b""
        if block["id"] in wanted and left > 0:
            content = access.contents(conversation_id, [block["id"]]).get(block["id"], b"")
        left -= len(content)
        if content and left >= 0:
            filled = {**block, "data": b64encode(content).decode()}
            found[block["id"]] = {key: filled[key] for key in filled if key != "id"}
        else:
            found[block["id"]] = text_block(f"[The file {block['name']!r} is not shown to you.]")
    return found
