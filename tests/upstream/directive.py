"""What a test asks of the model server."""

import json
import re
from typing import Any

import msgspec

PATTERN = re.compile(r"\[\[upstream([^\]]*)\]\]")

AWKWARD = [
    "héllo ",
    "日本語",
    "😀",
    "👩\u200d👩\u200d👧\u200d👦",
    "مرحبا",
    "e\u0301",
    "\ufeff",
    "\x85",
    "\x1f",
]
AWKWARD += [
    "\n",
    "\n\n",
    "\r\n",
    "\r",
    "\t",
    "\u2028",
    "\u2029",
    " ",
    '"q" ',
    "\\n ",
    "\\",
    "{",
    "}",
    "[[",
]
AWKWARD += ["data: x\n", "event: e\n", "id: 3\n", ": c\n", "</script>", "<b>", "&amp;", "```py\n"]


class Directive(msgspec.Struct, forbid_unknown_fields=True):
    """See the package's docstring for what the keys mean."""

    tag: str = ""
    mode: str = "text"
    tokens: int = 20
    content: str = "words"
    size: int = 0
    headers: float = 0
    first: float = 0
    delay: float = 0
    ping: int = 0
    split: int = 0
    coalesce: int = 0
    stop: str = "end_turn"
    cached: int = 0
    at: int = 5
    think: int = 5
    tools: int = 1
    tool: str = ""
    input: str = ""
    pre: int = 0
    loop: int = 1
    etype: str = "overloaded_error"
    status: int = 529
    retry_after: str = ""
    times: int = 1_000_000
    how: str = "rst"
    what: str = "json"
    stall: float = 600_000
    ping_ms: float = 0
    usage: int = 1
    done: int = 1
    index: int = 1
    field: str = "reasoning_content"
    wants: str = ""

    @classmethod
    def parse(cls, keys: str) -> "Directive":
        """Raises `ValueError` for an unknown key or a value of the wrong type."""
        pairs = dict(pair.split("=", 1) for pair in keys.split())
        return msgspec.convert(pairs, cls, strict=False)

    @classmethod
    def of(cls, messages: list[dict[str, Any]]) -> "Directive":
        """The directive of the last message of the user that has text."""
        for message in reversed(messages):
            text = "\n".join(texts(message["content"])) if message["role"] == "user" else ""
            if text.strip():
                return cls.parse(" ".join(PATTERN.findall(text)))
        return cls()

    def words(self) -> list[str]:
        """The text deltas of the answer."""
        return [self.word(i).ljust(self.size, "x") for i in range(self.tokens)]

    def word(self, i: int) -> str:
        match self.content:
            case "unicode":
                return AWKWARD[i % len(AWKWARD)]
            case "json":
                return json.dumps({"type": "token", "content": f"evil{i}"}) + "\n"
            case "tagged":
                return f"{self.tag}:{i} "
        return f"w{i} "


def texts(content: str | list[dict[str, Any]]) -> list[str]:
    """The texts of a message's content."""
    if isinstance(content, str):
        return [content]
    return [block["text"] for block in content if block["type"] == "text"]


def since_question(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The messages after the last one of the user that has text."""
    asked = [
        place
        for place, message in enumerate(messages)
        if message["role"] == "user" and "".join(texts(message["content"])).strip()
    ]
    return messages[asked[-1] + 1 :] if asked else messages


def expected_text(keys: str) -> str:
    """The text that an undisturbed answer to ``[[upstream KEYS]]`` has."""
    return "".join(Directive.parse(keys).words())
