"""The built-in demo: no key, no network, an honest answer about this installation.

A line of the user's message that starts with one of these directs the answer:

    /think        shows thinking before the answer
    /slow         a fifth of a second between words instead of 20 ms
    /delay MS     so many milliseconds between words (0 to 2000)
    /long N       N words instead of the usual answer (at most 10000)
    /echo TEXT    answers with TEXT
    /fail         fails after ten words, as a model server would that breaks down
    /tool NAME {} calls a tool with arguments, and tells its result (`current_time` without a name)
    /approve SUM  calls `calculator`, which waits for approval if the agent's entry says so
    /ask TEXT     asks the user: calls `ask_user` (with choices, if there is no text)
    /sources TEXT searches the agent's documents: calls `search_knowledge`
"""

import asyncio
import re

import msgspec

from engine.errors import ProviderError
from engine.http.guard import Guard
from engine.providers.base import Counted, Finished, Sink, TextDelta, ThinkingDelta
from engine.providers.demo.calls import (
    blocks_of,
    deltas_of,
    question_of,
    read_calls,
    report_of,
)
from engine.providers.demo.text import ANSWER, THINKING, long_answer
from engine.request import ModelRequest, estimate_prompt
from engine.usage import FREE, TokenCounts

WORDS = re.compile(r"\s*\S+\s*")
DIRECTIVE = re.compile(r"^/(think|slow|delay|long|echo|fail)\b[ \t]*(.*)$", re.MULTILINE)

DELAY = 0.02
SLOW_DELAY = 0.2
MAX_DELAY_MS = 2000
MAX_WORDS = 10_000
WORDS_BEFORE_FAILURE = 10
ALSO = "You said meanwhile: {}"


class Script(msgspec.Struct, frozen=True):
    """The plan of one answer; `delay` is the seconds before each word."""

    text: str
    thinking: str
    delay: float
    fails: bool


class DemoProvider:
    """Answers without a model server. It takes what every provider takes, and needs none of it."""

    name = "demo"
    price_list = FREE

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
        said = request.turns[-1].content  # empty after a step of tools, unless the user joins in
        calls, report = read_calls(said), report_of(request.turns)
        answer = "\n\n".join([report, ALSO.format(said)] if said else [report])
        script = read_script(question_of(request), answer if report else ANSWER)
        prompt = estimate_prompt(request)
        sink([Counted(TokenCounts(input_tokens=prompt))])
        thoughts = split_words(script.thinking)
        words = [] if calls else split_words(script.text)
        for thought in thoughts:
            await asyncio.sleep(script.delay)
            sink([ThinkingDelta(thought)])
        for place, word in enumerate(words):
            if script.fails and place == WORDS_BEFORE_FAILURE:
                raise ProviderError("upstream_error", "The demo failed, as asked.", retryable=True)
            await asyncio.sleep(script.delay)
            sink([TextDelta([word])])
        if calls:
            await asyncio.sleep(script.delay)
            sink(deltas_of(calls))
        counts = TokenCounts(
            input_tokens=prompt,
            output_tokens=len(thoughts) + len(words) + len(calls),
            reasoning_tokens=len(thoughts),
        )
        sink([Counted(counts), Finished("tool_use" if calls else "end_turn", blocks_of(calls))])

    async def aclose(self) -> None:
        """Closes nothing: nothing is open."""


def read_script(message: str, text: str) -> Script:
    """The answer that the user's message asks for: `text`, unless it wants another one."""
    directives = dict(DIRECTIVE.findall(message))
    delay = DELAY
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
