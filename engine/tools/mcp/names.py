"""The names under which a model sees the tools of MCP servers."""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import NamedTuple

MAX_NAME = 64
"""Characters; OpenAI takes no more."""
UNSAFE = re.compile(r"[^A-Za-z0-9_-]")


class Wanted(NamedTuple):
    """A tool of a server; `rename` is the name that the agent's configuration gives it."""

    server: str
    tool: str
    rename: str | None = None


def safe(name: str) -> str:
    """The name with `_` for every character that a model server may refuse."""
    return UNSAFE.sub("_", name)[:MAX_NAME]


def model_names(wanted: Sequence[Wanted], taken: Collection[str]) -> list[str | None]:
    """A name for each tool, none twice and none of `taken`: its own, on a clash
    `<server>_<name>`. None for a tool whose names are all in use."""
    own = [safe(tool.rename or tool.tool) for tool in wanted]
    count = Counter([*own, *taken])
    used = {*taken}
    names: list[str | None] = []
    for tool, name in zip(wanted, own, strict=True):
        if count[name] > 1 and not tool.rename:
            name = safe(f"{tool.server}_{tool.tool}")
        names.append(None if not name or name in used else name)
        used.add(name)
    return names
