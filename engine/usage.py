"""Counting tokens and money: per model call, and settled for the whole answer."""

import logging
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from engine.events import UsageReported

log = logging.getLogger(__name__)

PRICE_LISTS = {
    "api.openai.com": "openai",
    "generativelanguage.googleapis.com": "google",
}
FREE = "free"
"""The price list of a provider that runs in this process."""
CHARS_PER_TOKEN = 4  # English prose; only used where the provider's own count never arrived


class TokenCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of one model call. None = the provider has not said.

    `input_tokens` includes what was read from and written to the cache; `output_tokens` includes
    `reasoning_tokens`."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0


def estimate_tokens(chars: int) -> int:
    """A rough count for so many characters, at least 1 for any."""
    return -(-chars // CHARS_PER_TOKEN)


def settle(
    counts: TokenCounts,
    *,
    complete: bool,
    prompt_estimate: int,
    output_estimate: int,
    price_list: str | None,
    model: str,
) -> UsageReported:
    """The usage event of one model call, also of one that was cut.

    A provider's final numbers win. A 0 beside a prompt or an answer that was seen is no count:
    servers that do not count say it. Of a call that was cut (`complete` is False) the output count
    is not final: what we saw is estimated, and the larger one is charged.
    """
    source: Literal["provider", "estimated"] = "provider"
    input_tokens, output_tokens = counts.input_tokens, counts.output_tokens
    if input_tokens is None or (input_tokens == 0 and prompt_estimate):
        cached = counts.cache_read_tokens + counts.cache_write_tokens
        input_tokens, source = max(prompt_estimate, cached), "estimated"
    if output_tokens is None or (output_tokens == 0 and output_estimate):
        output_tokens, source = output_estimate, "estimated"
    elif not complete:
        output_tokens, source = max(output_tokens, output_estimate), "estimated"
    return UsageReported(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cache_read_tokens=counts.cache_read_tokens,
        cache_write_tokens=counts.cache_write_tokens,
        reasoning_tokens=counts.reasoning_tokens,
        cost=price(price_list, model, input_tokens, output_tokens, counts),
        source=source,
    )


def load_prices() -> None:
    """Load the prices, which `price` would otherwise do in its first call. It takes 0.2 s and 27
    MiB, so call it in a thread."""
    import genai_prices  # noqa: F401


def price_list_of(provider: str, base_url: str | None) -> str | None:
    """The price list of a call (an id of genai-prices), or None if it is not known.

    Many servers speak OpenAI's API and name their models as they like, so the address decides."""
    if provider != "openai":
        return provider
    return PRICE_LISTS.get(urlsplit(base_url).hostname or "") if base_url else "openai"


class Rates(msgspec.Struct, frozen=True):
    """US dollars of one token, 0 where no price is known."""

    input: float = 0.0
    output: float = 0.0

    def cost(self, input_tokens: float, output_tokens: float) -> float:
        """The cost of so many tokens."""
        return input_tokens * self.input + output_tokens * self.output


def rates_of(price_list: str | None, model: str) -> Rates:
    """The cost of a model's tokens without its cache, by the price of the first thousand."""
    first = [price(price_list, model, *counts, TokenCounts()) for counts in ((1000, 0), (0, 1000))]
    return Rates(*((cost or 0.0) / 1000 for cost in first))


def price(
    price_list: str | None, model: str, input_tokens: int, output_tokens: int, counts: TokenCounts
) -> float | None:
    """USD for one model call, or None if the price of the model is not known."""
    if price_list is None:
        return None
    if price_list == FREE:
        return 0.0
    from genai_prices import Usage, calc_price  # see `load_prices`

    usage = Usage(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cache_read_tokens=counts.cache_read_tokens,
        cache_write_tokens=counts.cache_write_tokens,
    )
    try:
        return float(calc_price(usage, model_ref=model, provider_id=price_list).total_price)
    except (LookupError, ValueError) as error:  # or counts that contradict each other
        extra = {"price_list": price_list, "model": model, "reason": str(error)}
        log.info("no price known", extra=extra)
        return None
