"""The page on which a message was written: what its site tells the agent of it."""

from typing import Annotated, Any

import msgspec

from engine.errors import ClawError
from wire import parse

MAX_CONTEXT_BYTES = 16 * 1024
"""Bytes of its JSON: each later prompt of the conversation has it, too."""


class PageContext(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """A page: its `title`, its address (`url`), what the visitor has selected on it, and `data`,
    an object of the site's own. The model gets it as data beside the message."""

    title: Annotated[str, msgspec.Meta(max_length=1000)] | None = None
    url: Annotated[str, msgspec.Meta(max_length=4000)] | None = None
    selection: str | None = None
    data: dict[str, Any] | None = None


def check_context(context: PageContext | None) -> None:
    """Check what storing and prompts need. Raises `invalid_message`."""
    if context is None:
        return
    if len(parse.dumps(context)) > MAX_CONTEXT_BYTES:
        raise ClawError(
            "invalid_message",
            f"Send at most {MAX_CONTEXT_BYTES} bytes of context.",
            details={"field": "context", "limit": MAX_CONTEXT_BYTES},
        )
    parse.check_storable("context", msgspec.to_builtins(context))
