"""`engine.limits.purse`: an answer ends where its budget does, and says so."""

from typing import Any

from engine import events as ev
from engine.errors import ClawError
from engine.limits.purse import Amount, Grant, Purse
from engine.providers.base import Finished, TextDelta
from engine.usage import Rates
from tests.engine.scripted import Attempt, Scripted, of

RATES = Rates(input=0.001, output=0.002)


def purse(grant: Grant, *more: Grant) -> tuple[Purse, list[tuple[Amount, Amount]]]:
    """A purse that can be given these grants, one after the other; and what it has asked for."""
    asked: list[tuple[Amount, Amount]] = []
    grants = list(more)

    async def ask(least: Amount, most: Amount) -> Grant:
        asked.append((least, most))
        if not grants:
            raise ClawError("budget_exceeded", "Nothing is left.")
        return grants.pop(0)

    return Purse(grant, RATES, ask), asked


async def answer(purse: Purse, *texts: str) -> tuple[Attempt, ClawError | None]:
    script: list[Any] = [[TextDelta([text])] for text in texts]
    attempt = Attempt(Scripted([*script, [Finished("end_turn", [])]]), purse=purse)
    try:
        await attempt.run()
    except ClawError as error:
        return attempt, error
    return attempt, None


async def test_it_works() -> None:
    mine, asked = purse((None, 100_000))
    attempt, error = await answer(mine, "Hello")
    assert (error, asked) == (None, [])
    assert mine.tokens == sum(r.input_tokens + r.output_tokens for r in attempt.transcript.reports)


async def test_p12_an_answer_is_cut_where_its_budget_ends_and_keeps_its_text() -> None:
    mine, _ = purse((None, 100), (None, 30))
    attempt, error = await answer(mine, *["x" * 40] * 50)
    assert error is not None and error.code == "budget_exceeded"
    said = str(attempt.transcript.text)
    assert 0 < len(said) <= 160 and set(said) == {"x"}
    (report,) = of(ev.UsageReported, [attempt.cut_usage(error) or ev.Typing(status="stop")])
    assert report.output_tokens == len(said) / 4


async def test_dollars_count_too() -> None:
    mine, _ = purse((0.1, None), (0.1, None))
    attempt, error = await answer(mine, *["x" * 40] * 50)
    assert error is not None and error.code == "budget_exceeded"
    assert 0 < len(str(attempt.transcript.text)) <= 240


async def test_more_is_asked_for_before_a_call() -> None:
    mine, asked = purse((None, 10), (None, 100_000))
    _, error = await answer(mine, "x" * 400)
    assert error is None
    ((least, most),) = asked
    assert least[1] < most[1]


async def test_what_does_not_cover_the_prompt_asks_no_model() -> None:
    mine, _ = purse((None, 0))
    attempt, error = await answer(mine, "Hello")
    assert error is not None and error.code == "budget_exceeded"
    assert attempt.seen == [] and attempt.cut_usage(error) is None
