"""Results of MCP tools, as the model and the log get them."""

from typing import Any

import msgspec

MEDIA = frozenset({"image", "audio"})


def plain_result(result: dict[str, Any]) -> Any:
    """The result of a `tools/call`: a text if it has only texts, its structured content if the text
    only repeats that, else `{content, structuredContent?}` in the protocol's own words.

    The bytes of pictures, sound and files become their number: a model does not read base64."""
    blocks = [_without_bytes(block) for block in result.get("content", [])]
    structured = result.get("structuredContent")
    texts = [block["text"] for block in blocks if block["type"] == "text"]
    only_texts = len(texts) == len(blocks)
    if structured is None:
        return "\n".join(texts) if only_texts else {"content": blocks}
    if only_texts and structured == {
        "result": "\n".join(texts)
    }:  # how the official SDK wraps a text
        return structured["result"]
    if only_texts and (not texts or [structured] == list(map(_read, texts))):
        return structured
    return {"content": blocks, "structuredContent": structured}


def _read(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None


def _without_bytes(block: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in block.items() if name not in ("annotations", "_meta")}
    if kept["type"] in MEDIA:
        return _counted(kept, "data")
    if kept["type"] == "resource" and "blob" in kept["resource"]:
        return {**kept, "resource": _counted(kept["resource"], "blob")}
    return kept


def _counted(item: dict[str, Any], field: str) -> dict[str, Any]:
    kept = {name: value for name, value in item.items() if name != field}
    return kept | {"bytes": len(item[field]) * 3 // 4}
