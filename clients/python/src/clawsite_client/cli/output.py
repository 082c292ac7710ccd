"""The output of the command line: text for people, or JSON for programs."""

import json
import sys
from importlib.util import find_spec
from typing import Any

from clawsite_client.answer import Event
from clawsite_client.cli.markdown import LiveMarkdown
from clawsite_client.errors import ClawError

MARKS = {
    "thinking": "\N{THOUGHT BALLOON} ",
    "tool_call": "\N{WRENCH} ",
    "tool_result": "\N{LEFTWARDS ARROW WITH HOOK} ",
    "status": "… ",
}
MAX_RESULT = 200  # characters of a tool's result
CONTROLS = {code: None for code in (*range(32), 127, *range(128, 160)) if chr(code) not in "\n\t"}
"""Characters that would direct a terminal, in place of being read."""


class Output:
    """Prints an answer as it comes; `as_json`: each event as a line. In a terminal Markdown is
    drawn, if `rich` is there."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._kind = ""
        self._terminal = sys.stdout.isatty()
        drawn = self._terminal and not as_json and find_spec("rich") is not None
        self._markdown = LiveMarkdown() if drawn else None

    def event(self, event: Event) -> None:
        """An event of an answer. What is no part of the answer itself goes to standard error."""
        if self.as_json:
            print(json.dumps(event, ensure_ascii=False), flush=True)
            return
        match event["type"]:
            case "token":
                self._answer(event["content"])
            case "thinking":
                self._change("thinking")
                self._aside(event["content"], end="")
            case "tool_call":
                self._line("tool_call", f"{event['tool']} {json.dumps(event['args'])}")
            case "tool_result":
                self._line("tool_result", _short(event["result"]))
            case "status":
                self._line("status", event["message"])
            case "snapshot":
                self.pause()
                self._answer(event["message"]["content"])
            case "cancelled":
                self._line("status", "stopped")
            case "approval_required" | "question" | "done":
                self.pause()

    def pause(self) -> None:
        """End the line that is open: something else is about to be said."""
        self._change("")

    def ask(self, text: str) -> str:
        """The answer of the person at the terminal to this."""
        self.pause()
        return input(f"{_safe(text)} ")

    def error(self, error: ClawError) -> None:
        """Say what went wrong."""
        self.pause()
        said = {"code": error.code, "message": error.message}
        print(
            json.dumps({"error": said}) if self.as_json else f"{error.code}: {error.message}",
            file=sys.stderr,
        )

    def value(self, value: Any, columns: tuple[str, ...] = ()) -> None:
        """An object: as JSON, or the columns of each of its rows."""
        rows = next((each for each in value.values() if isinstance(each, list)), None)
        if self.as_json or rows is None or not columns:
            print(json.dumps(value, ensure_ascii=False, indent=None if self.as_json else 2))
            return
        for row in rows:
            print("\t".join(_safe(str(row.get(name, ""))) for name in columns))

    def _answer(self, text: str) -> None:
        self._change("token")
        if self._markdown:
            self._markdown.add(_safe(text))
        else:
            print(_safe(text) if self._terminal else text, end="", flush=True)

    def _line(self, kind: str, text: str) -> None:
        self._change(kind)
        self._aside(text)
        self._kind = ""

    def _aside(self, text: str, end: str = "\n") -> None:
        print(_safe(text), end=end, file=sys.stderr, flush=True)

    def _change(self, kind: str) -> None:
        """Another kind of text begins on a line of its own."""
        if kind == self._kind:
            return
        if self._kind == "token" and self._markdown:
            self._markdown.end()
        elif self._kind:
            print(file=sys.stdout if self._kind == "token" else sys.stderr, flush=True)
        if kind in MARKS:
            print(MARKS[kind], end="", file=sys.stderr, flush=True)
        self._kind = kind


def _safe(text: str) -> str:
    return text.translate(CONTROLS)


def _short(result: Any) -> str:
    text = result if isinstance(result, str) else json.dumps(result, ensure_ascii=False)
    line = " ".join(text.split())
    return line if len(line) <= MAX_RESULT else f"{line[:MAX_RESULT]}…"
