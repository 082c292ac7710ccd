"""The names of fields in JSON."""

import re


def camel(name: str) -> str:
    """The JSON name of a field: `retryAfter` for `retry_after`."""
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


def in_camel_case(text: str) -> str:
    """A docstring that names fields in backticks, with their JSON names."""
    return re.sub(r"`([a-z_]+)`", lambda found: f"`{camel(found[1])}`", text)
