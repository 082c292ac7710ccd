"""Which files a model takes, told by its name: a model that takes none would refuse the request,
and every later one of its conversation."""

import re

TEXT = frozenset({"text"})
"""A text goes to any model, as text."""
ALL = frozenset({"text", "image", "pdf"})

IMAGES = re.compile(
    r"gemini|gpt-4o|gpt-4\.1|gpt-[5-9]|\bo[134]\b|llava|pixtral|moondream|minicpm-v|-vl\b|vision|gemma-?3"
)
PDF = re.compile(r"gemini|gpt-4o|gpt-4\.1|gpt-[5-9]|\bo[134]\b")


def accepted_kinds(provider: str, model: str) -> frozenset[str]:
    """The kinds of files that a model takes: `text`, `image`, `pdf`. Of a model that is not known
    only texts are sent."""
    if provider in ("demo", "anthropic"):
        return ALL if provider == "demo" or "claude" in model.lower() else TEXT
    name = model.lower()
    kinds = {"image"} if IMAGES.search(name) else set()
    return TEXT | kinds | ({"pdf"} if PDF.search(name) else set())


def kind_of(media_type: str) -> str:
    """The kind of a file of this media type."""
    if media_type.startswith("image/"):
        return "image"
    return "pdf" if media_type == "application/pdf" else "text"
