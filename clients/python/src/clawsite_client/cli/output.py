"""The output of the command line: text for people, or JSON for programs."""

import json
import sys
from typing import Any

from clawsite_client.answer import Event

MARKS = {"thinking": "\N{THOUGHT BALLOON} ", "tool_call": "\N{WRENCH} ", "status": "… "}


class Output:
    """Prints an answer as it comes; `as_json`: each event as a line."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._kind = ""

    def event(self, event: Event) -> None:
        """An event of an answer. What is no part of the answer itself goes to standard error."""
        if self.as_json:
            print(json.dumps(event, ensure_ascii=False), flush=True)
            return
        match event["type"]:
            case "token":
                self._piece("token", event["content"])
            case "thinking":
                self._piece("thinking", event["content"])
            case "tool_call":
                self._line("tool_call", f"{event['tool']} {json.dumps(event['args'])}")
            case "status":
                self._line("status", event["message"])
            case "snapshot":
                self._piece("token", "\n" + event["message"]["content"])
            case "cancelled":
                self._line("status", "stopped")
            case "done":
                self._change("")

    def value(self, value: Any, columns: tuple[str, ...] = ()) -> None:
        """An object: as JSON, or the columns of each of its rows."""
        rows = next((each for each in value.values() if isinstance(each, list)), None)
        if self.as_json or rows is None or not columns:
            print(json.dumps(value, ensure_ascii=False, indent=None if self.as_json else 2))
            return
        for row in rows:
            print("\t".join(str(row.get(name, "")) for name in columns))

    def _piece(self, kind: str, text: str) -> None:
        self._change(kind)
        print(text, end="", flush=True, file=sys.stdout if kind == "token" else sys.stderr)

    def _line(self, kind: str, text: str) -> None:
        self._change(kind)
        print(text, file=sys.stderr)
        self._kind = ""

    def _change(self, kind: str) -> None:
        """Another kind of text begins on a line of its own."""
        if kind == self._kind:
            return
        if self._kind:
            print(file=sys.stdout if self._kind == "token" else sys.stderr, flush=True)
        if kind in MARKS:
            print(MARKS[kind], end="", file=sys.stderr, flush=True)
        self._kind = kind
