"""`conversations.execution.recording.storable`: whatever a model server says fits the columns."""

import math
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from conversations.execution.opening import first_fold
from conversations.execution.recording import outcome, storable
from conversations.execution.recording.outcome import Timing
from conversations.execution.recording.recorder import FinishedRun, write
from conversations.models import Run
from engine import events as ev
from engine.transcript import Transcript, fold
from tests.conversations.parts import ask, reload, take


def report(**fields: Any) -> ev.UsageReported:
    """The usage of one model call."""
    zero = dict.fromkeys(("cache_read_tokens", "cache_write_tokens", "reasoning_tokens"), 0)
    counts = {"input_tokens": 1, "output_tokens": 1, "cost": 0.5, "source": "provider"}
    return ev.UsageReported(**zero | counts | fields)


def stored(caller: Any, *events: Any, reason: str = "end_turn") -> tuple[Run, Transcript]:
    """The row of a run with these events, and its transcript."""
    claimed = take(ask(caller).run)
    assert claimed is not None
    transcript = first_fold(claimed.run)
    for event in (*events, ev.Step(stop_reason=reason)):
        fold(transcript, event)
    fold(transcript, outcome.complete(transcript, Timing()))
    assert write([FinishedRun(claimed.run, claimed.attempt, transcript)]) == [[]]
    return reload(claimed.run), transcript


def test_it_works(caller):
    run, transcript = stored(caller, ev.Tokens(["Hello"], 0), report(input_tokens=7))
    assert (run.message.content, run.usage["inputTokens"], run.cost) == ("Hello", 7, Decimal("0.5"))
    assert run.message.stop_reason == transcript.stop_reason == "end_turn"


@pytest.mark.parametrize("count", [-1, 2**31, 2**63, 2**64, 10**40])
def test_p9_a_count_fits_and_the_row_says_what_the_event_says(caller, count):
    fields = ("input_tokens", "output_tokens", "cache_read_tokens", "reasoning_tokens")
    run, transcript = stored(caller, *[report(**dict.fromkeys(fields, count))] * 3)

    usage = transcript.outcome.usage
    assert 0 <= usage.input_tokens <= storable.MAX_TOKENS
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens
    assert run.usage == run.message.usage == msgspec.to_builtins(usage)


@pytest.mark.parametrize(
    ("cost", "expected"),
    [
        (1e300, storable.MAX_COST),
        (999_999.999999999, storable.MAX_COST),
        (-5.0, Decimal(0)),
        (1e-12, Decimal(0)),
        (0.123456789, Decimal("0.12345679")),
        (math.nan, None),
        (math.inf, None),
    ],
)
def test_an_amount_of_money_fits(caller, cost, expected):
    run, transcript = stored(caller, report(cost=cost))

    assert run.cost == expected
    assert (transcript.outcome.usage.cost is None) == (expected is None)


@pytest.mark.parametrize(
    "text", ["nul \0", "surrogate \ud800", "\udc00\0\ud800", "fine \U0001f980"]
)
def test_a_text_fits_wherever_it_stands(caller, text):
    call = ev.ToolCall(id=text, tool=text, name=text, args={text: [text]}, arguments={})
    events = [call, ev.Step(stop_reason="tool_use", blocks=[{"type": "x", text: {"y": text}}])]
    run, transcript = stored(caller, *events, reason=text)

    clean = storable.text(text)
    assert len(clean) == len(text)
    assert not set(clean) & {"\0", "\ud800"}
    assert run.message.tools == [{"id": clean, "tool": clean, "args": {clean: [clean]}}]
    assert run.message.steps["turns"][0]["blocks"] == [{"type": "x", clean: {"y": clean}}]
    assert run.message.stop_reason == transcript.stop_reason == clean


def test_a_stop_reason_is_a_word(caller):
    run, transcript = stored(caller, reason="x" * 1_000_000)
    assert run.message.stop_reason == transcript.stop_reason == "x" * storable.MAX_REASON


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 10**30, -(10**30), 2**63])
def test_a_number_in_a_tool_s_arguments_fits(caller, value):
    call = ev.ToolCall(id="t", tool="add", name="add", args={"n": [value]}, arguments={})
    run, _ = stored(caller, call)

    (kept,) = run.message.tools[0]["args"]["n"]
    assert kept is None or abs(kept) == storable.MAX_INTEGER


def test_a_value_that_is_nested_too_deeply_is_left_out(caller):
    value: Any = "bottom"
    for _ in range(900):
        value = [value]
    run, _ = stored(
        caller, ev.ToolCall(id="t", tool="t", name="t", args={"n": value}, arguments={})
    )

    assert "bottom" not in str(run.message.tools)


def test_a_text_is_as_long_as_its_column():
    run = storable.storable(Run(provider="p" * 100, model="m\0" * 1000), ["provider", "model"])
    assert (len(run.provider), len(run.model)) == (20, 200)
    assert "\0" not in run.model


def test_what_fits_is_the_same_object():
    long = "long " * 1000
    assert storable.text(long) is long
