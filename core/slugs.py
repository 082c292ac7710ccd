"""Slugs for rows that were only given a name."""

import secrets

from django.utils.text import slugify

MAX_LENGTH = 50  # of a DNS label's 63: leaves room for what tells it from others


def slug_of(name: str, default: str) -> str:
    """A DNS label after `name`: “My Agent” becomes `my-agent`; `default` if it has no letter or
    digit that fits. It may be taken or reserved."""
    return slugify(name).replace("_", "-")[:MAX_LENGTH].strip("-") or default


def distinct(slug: str) -> str:
    """The same with an ending of its own: `my-agent-1f9a3c`."""
    return f"{slug}-{secrets.token_hex(3)}"
