"""The rest of a budget that an answer may use."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from engine.errors import ClawError
from engine.events import UsageReported
from engine.usage import Rates

ROUNDING = 1e-8  # US dollars: the last place of stored costs
Amount: TypeAlias = tuple[float, int]
"""US dollars and tokens."""
Grant: TypeAlias = tuple[float | None, int | None]
"""The limits of a run's whole use; None is no limit."""
More: TypeAlias = Callable[[Amount, Amount], Awaitable[Grant]]
"""Asks for a larger grant: of the first amount at least, of the second at most. Raises
`budget_exceeded`."""


def exceeded() -> ClawError:
    """The error of an answer that has used up its budget."""
    return ClawError("budget_exceeded", "The budget was used up before the answer was complete.")


@dataclass
class Purse:
    """The grant of one run. All model calls of the run share it; the tokens of a call count as they
    come, estimated, and as its usage says once it has ended."""

    grant: Grant
    rates: Rates
    more: More
    tokens: int = 0
    cost: float = 0.0

    def settle(self, report: UsageReported) -> None:
        """Count a model call that has ended."""
        self.tokens += report.input_tokens + report.output_tokens
        self.cost += report.cost or 0.0

    async def prepare(self, prompt: int, answer: int) -> None:
        """Before a model call with so many tokens: ask for more if the grant does not cover it.
        Raises `budget_exceeded` if it does not even cover the prompt."""
        if not self.covers(prompt, answer):
            self.grant = await self.more(self._after(prompt, 0), self._after(prompt, answer))
        if not self.covers(prompt, 0):
            raise exceeded()

    def covers(self, prompt: int, answer: int) -> bool:
        """Whether a call that has used so many tokens is within the grant."""
        (cost, tokens), (may_cost, may_use) = self._after(prompt, answer), self.grant
        if may_use is not None and tokens > may_use:
            return False
        return may_cost is None or cost <= may_cost + ROUNDING

    def _after(self, prompt: int, answer: int) -> Amount:
        """The use of a call of so many tokens."""
        return self.cost + self.rates.cost(prompt, answer), self.tokens + prompt + answer
