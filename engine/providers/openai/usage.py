"""Token counts of Chat Completions, in all the shapes that servers give them."""

from typing import Any

from engine.providers.server.lenient import count_of
from engine.usage import TokenCounts


class UsageReader:
    """The usage of one answer. Counts are cumulative: the last that says something stands."""

    __slots__ = ("_seen",)

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def read(self, said: Any) -> TokenCounts | None:
        """The counts so far; None for what is no usage. A count that cannot be read or believed is
        none, and is estimated later.

        Google counts thinking in the total only: it is output, and paid as such."""
        if not isinstance(said, dict):
            return None
        input_details = said.get("prompt_tokens_details")
        output_details = said.get("completion_tokens_details")
        self._note("input", said.get("prompt_tokens", said.get("input_tokens")))
        self._note("output", said.get("completion_tokens", said.get("output_tokens")))
        self._note("total", said.get("total_tokens"))
        self._note("cached", said.get("prompt_cache_hit_tokens"))  # as DeepSeek calls it
        if isinstance(input_details, dict):
            self._note("cached", input_details.get("cached_tokens"))
        if isinstance(output_details, dict):
            self._note("reasoning", output_details.get("reasoning_tokens"))
        given, output = self._seen.get("input"), self._seen.get("output")
        counted, total = output or 0, self._seen.get("total")
        if given is not None and total is not None and (output is not None or total > given):
            output = max(counted, total - given)
        return TokenCounts(
            input_tokens=given,
            output_tokens=output,
            cache_read_tokens=self._seen.get("cached", 0),
            reasoning_tokens=self._seen.get("reasoning") or (output or 0) - counted,
        )

    def _note(self, name: str, said: Any) -> None:
        count = count_of(said)
        if count or (count == 0 and name not in self._seen):
            self._seen[name] = count
