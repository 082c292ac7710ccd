"""Slugs for agents that were only given a name."""

import secrets

from django.utils.text import slugify

LONGEST = 50  # of a DNS label's 63: leaves room for what tells it from others


def slug_of(name: str) -> str:
    """A DNS label after `name`: “My Agent” becomes `my-agent`. It may be taken or reserved."""
    return slugify(name).replace("_", "-")[:LONGEST].strip("-") or "agent"


def distinct(slug: str) -> str:
    """The same with an ending of its own: `my-agent-1f9a3c`."""
    return f"{slug}-{secrets.token_hex(3)}"
