"""Markdown in a terminal while it comes; needs `rich`, the extra `terminal` of the package."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live

FENCES = ("```", "~~~")
FRAMES = 8  # redraws a second


def closed_length(text: str) -> int:
    """The length of the part that no later piece changes: up to the last blank line that is in no
    block of code and before a line that is not indented."""
    closed, at, fence, blank = 0, 0, "", False
    for line in text.splitlines(keepends=True):
        if blank and not fence and not line[0].isspace():
            closed = at
        mark = line.strip()[:3]
        if fence:
            fence = "" if mark == fence else fence
        elif mark in FENCES:
            fence = mark
        blank = not line.strip()
        at += len(line)
    return closed


class LiveMarkdown:
    """Draws a text as it comes. What is closed stays, and only the rest of it is drawn again."""

    def __init__(self, console: "Console | None" = None) -> None:
        from rich.console import Console

        self._console = console or Console()
        self._rest = ""
        self._live: Live | None = None

    def add(self, piece: str) -> None:
        """Draw more of it."""
        from rich.live import Live
        from rich.markdown import Markdown

        self._rest += piece
        if self._live is None:
            self._live = Live(console=self._console, refresh_per_second=FRAMES)
            self._live.start()
        if length := closed_length(self._rest):
            closed, self._rest = self._rest[:length], self._rest[length:]
            self._console.print(Markdown(closed))
            self._console.print()  # blocks stand apart
        self._live.update(Markdown(self._rest))

    def end(self) -> None:
        """The text is whole."""
        if self._live is not None:
            self._live.vertical_overflow = "visible"  # nothing of it may be missing at the end
            self._live.stop()
        self._live, self._rest = None, ""
