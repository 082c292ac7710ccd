"""The built-in demo: no key, no network, an honest answer about this installation.

A line of the user's message that starts with one of these directs the answer:

    /think        shows thinking before the answer
    /slow         a fifth of a second between words instead of 20 ms
    /delay MS     so many milliseconds between words (0 to 2000)
    /long N       N words instead of the usual answer (at most 10000)
    /echo TEXT    answers with TEXT
    /fail         fails after ten words, as a model server would that breaks down
"""

import asyncio
import re

import msgspec

from engine.errors import ProviderError
from engine.http.guard import Guard
from engine.providers.base import Counted, Finished, Sink, TextDelta, ThinkingDelta
from engine.providers.demo.text import ANSWER, THINKING, long_answer
from engine.request import ModelRequest, estimate_prompt
from engine.usage import TokenCounts

WORDS = re.compile(r"\s*\S+\s*")
DIRECTIVE = re.compile(r"^/(think|slow|delay|long|echo|fail)\b[ \t]*(.*)$", re.MULTILINE)

DELAY = 0.02
SLOW_DELAY = 0.2
MAX_DELAY_MS = 2000
MAX_WORDS = 10_000
WORDS_BEFORE_FAILURE = 10


class Script(msgspec.Struct, frozen=True):
    """The plan of one answer; `delay` is the seconds before each word."""

    text: str
    thinking: str
    delay: float
    fails: bool


class DemoProvider:
    """Answers without a model server. It takes what every provider takes, and needs none of it."""

    name = price_list = "demo"

    def __init__(
        self,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        guard: Guard | None = None,
    ) -> None:
        pass

    async def call(self, request: ModelRequest, sink: Sink, *, idle_timeout: float) -> None:
        """See `Provider.call`. Counts are estimates for the prompt, and words for the answer."""
        script = read_script(request.turns[-1].content)
        prompt = estimate_prompt(request)
        sink([Counted(TokenCounts(input_tokens=prompt))])
        thoughts, words = split_words(script.thinking), split_words(script.text)
        for thought in thoughts:
            await asyncio.sleep(script.delay)
            sink([ThinkingDelta(thought)])
        for place, word in enumerate(words):
            if script.fails and place == WORDS_BEFORE_FAILURE:
                raise ProviderError("upstream_error", "The demo failed, as asked.", retryable=True)
            await asyncio.sleep(script.delay)
            sink([TextDelta([word])])
        counts = TokenCounts(
            input_tokens=prompt,
            output_tokens=len(thoughts) + len(words),
            reasoning_tokens=len(thoughts),
        )
        sink([Counted(counts), Finished("end_turn", [])])

    async def aclose(self) -> None:
        """Closes nothing: nothing is open."""


def read_script(message: str) -> Script:
    """The answer that the user's message asks for."""
    directives = dict(DIRECTIVE.findall(message))
    text, delay = ANSWER, DELAY
    if "echo" in directives:
        text = directives["echo"]
    elif "long" in directives:
        text = long_answer(number(directives["long"], 1000, MAX_WORDS))
    if "delay" in directives:
        delay = number(directives["delay"], 20, MAX_DELAY_MS) / 1000
    elif "slow" in directives:
        delay = SLOW_DELAY
    return Script(
        text=text,
        thinking=THINKING if "think" in directives else "",
        delay=delay,
        fails="fail" in directives,
    )


def number(argument: str, default: int, most: int) -> int:
    """The argument as a whole number up to `most`; `default` if it is none."""
    digits = re.match(r"\d{1,9}", argument)
    return min(int(digits[0]), most) if digits else default


def split_words(text: str) -> list[str]:
    """The words of `text`, each with the white space around it: joined they are `text` again."""
    return WORDS.findall(text)
