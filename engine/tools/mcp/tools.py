"""The tools that a server lists, as far as a model can use them."""

import logging
from typing import Any

import msgspec

from engine.providers.server.decoder import check_nesting
from engine.text import clean
from engine.tools.mcp.base import Tool

log = logging.getLogger(__name__)

MAX_PAGES = 50
MAX_TOOLS = 500
MAX_SCHEMA_BYTES = 32 * 1024
MAX_DESCRIPTION = 4096
"""Characters."""


def usable(listed: list[dict[str, Any]]) -> list[Tool]:
    """The tools of a `tools/list`, each name once. Content that a model cannot be shown is left
    out."""
    found: dict[str, Tool] = {}
    for entry in listed[:MAX_TOOLS]:
        tool = _tool(entry)
        if tool is None:
            log.info("a tool of an MCP server was left out: its schema cannot be used")
        else:
            found.setdefault(tool.name, tool)
    return list(found.values())


def _tool(entry: dict[str, Any]) -> Tool | None:
    try:
        schema = clean(entry.get("inputSchema"))
        data = msgspec.json.encode(schema)
        check_nesting(data)
    except (TypeError, ValueError, RecursionError):
        return None
    if not isinstance(schema, dict) or len(data) > MAX_SCHEMA_BYTES:
        return None
    name = clean(entry["name"])
    said = clean(entry.get("description") or entry.get("title") or "").strip()
    return Tool(
        name=name,
        description=said[:MAX_DESCRIPTION] or name,
        input_schema={"type": "object", **schema},
        annotations=clean(entry.get("annotations", {})),
    )
