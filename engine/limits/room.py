"""The limits on the size of one answer."""

from engine.errors import ProviderError

MAX_HIDDEN_BYTES = 4 * 1024 * 1024
"""Bytes of data that a run keeps and never shows. The largest signatures and documents have some
hundred KB."""

MAX_RESULTS_BYTES = 1024 * 1024
"""Bytes of the results of all tools of a run, as JSON: more than the context of most models. They
stay in memory, and each further model call sends them again."""


class Room:
    """The bytes that an answer may still grow by, in UTF-8 as they are emitted.

    All model calls and tools of a run share one."""

    __slots__ = ("_fragments", "_hidden", "left", "over", "results_left")

    def __init__(self, size: int, results: int = 0) -> None:
        """`size` is for what the model says. `results` are bytes of tool results that the run has
        already."""
        self.left = max(size, 0)
        self.results_left = max(MAX_RESULTS_BYTES - results, 0)
        self.over = False
        """Whether something did not fit: then nothing more is taken."""
        self._hidden = MAX_HIDDEN_BYTES
        self._fragments = 0  # bytes of arguments whose complete call has not come

    def take(self, text: str) -> str:
        """Count `text`; returns as much of its beginning as fits, in whole characters."""
        size = _size(text)
        if size <= self.left:
            self.left -= size
            return text
        self.over = True
        fits = text.encode()[: self.left].decode(errors="ignore")
        self.left = 0
        return fits

    def take_fragment(self, arguments: str) -> str:
        """The same for a fragment of a tool call's arguments."""
        self._fragments += _size(arguments)
        return self.take(arguments)

    def take_call(self, size: int) -> bool:
        """Whether a complete call fits, with `size` bytes of arguments. Those that came as
        fragments are counted already."""
        counted = min(size, self._fragments)
        self._fragments -= counted
        self.over = self.over or size - counted > self.left
        if not self.over:
            self.left -= size - counted
        return not self.over

    def hide(self, size: int) -> None:
        """Count data that is never shown."""
        self._hidden -= size
        self.over = self.over or self._hidden < 0


def too_long() -> ProviderError:
    """The error of an answer that has filled its room. It is not retryable: a model that loops
    would loop again."""
    return ProviderError(
        "upstream_error",
        "The answer grew longer than allowed, and was cut.",
        retryable=False,
        reason="the answer has no room left (CLAW_MAX_ANSWER_BYTES)",
    )


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())
