"""The objects of what visitors send to people: messages, and conversations by mail."""

from typing import Annotated

import msgspec
from msgspec import Meta

# One address, without what a header, a list of addresses or a display name would need.
Email = Annotated[
    str,
    Meta(
        pattern=r"^[^\s@<>()\[\]\\,;:\"\x00-\x1f\x7f-\x9f]{1,64}@[A-Za-z0-9.-]{1,185}\.[A-Za-z]{2,63}$"
    ),
]
Line = Annotated[str, Meta(max_length=200)]


class NewContactMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message to the people behind an agent: the sender's name and address, what they write, and
    the address of the page."""

    email: Email
    message: Annotated[str, Meta(min_length=1, max_length=4000)]
    name: Line = ""
    page: Annotated[str, Meta(max_length=2000)] = ""


class ContactMessage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The message as webhooks get it. `visitor` is the owner of the sender's conversations."""

    type: str
    at: str
    agent_id: str
    visitor: str
    email: str
    message: str
    name: str
    page: str


class TranscriptMail(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a conversation is sent."""

    email: Email
