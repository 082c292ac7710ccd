"""`conversations.execution.recording.outcome`: how a run ends, from what its transcript holds."""

import time

import pytest

from conversations.execution.recording import outcome
from conversations.execution.recording.outcome import Timing
from engine import events as ev
from engine.errors import ClawError, ProviderError, RunTimeout, Unavailable
from engine.transcript import Transcript, fold


def report(cost: float | None = 0.5, source: str = "provider") -> ev.UsageReported:
    return ev.UsageReported(
        input_tokens=10,
        output_tokens=4,
        cache_read_tokens=3,
        cache_write_tokens=2,
        reasoning_tokens=1,
        cost=cost,
        source=source,
    )


def transcript(*events: ev.Event) -> Transcript:
    folded = Transcript()
    for event in (ev.Token(content="Hé", index=0), *events):
        fold(folded, event)
    return folded


def test_it_works():
    ended = transcript(report(), ev.Step(stop_reason="end_turn"))
    end = outcome.complete(ended, Timing())
    done = outcome.done(fold(ended, end))

    assert (end.content, end.stop_reason, end.usage.total_tokens) == ("Hé", "end_turn", 14)
    assert (done.reason, done.length, done.usage) == ("complete", 3, end.usage)
    assert done.digest == ended.text.digest()
    assert (done.metrics.token_count, done.metrics.total_ms) == (1, end.usage.latency_ms)


def test_p13_the_calls_of_a_run_add_up():
    usage = outcome.usage(transcript(report(0.5), report(0.25)), Timing())

    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (20, 8, 28)
    assert (usage.cache_read_tokens, usage.cache_write_tokens, usage.reasoning_tokens) == (6, 4, 2)
    assert (usage.cost, usage.source) == (0.75, "provider")


def test_the_cost_is_unknown_if_that_of_any_call_is():
    assert outcome.usage(transcript(report(0.5), report(None)), Timing()).cost is None
    assert outcome.usage(transcript(), Timing()).cost == 0


def test_one_estimate_makes_an_estimate():
    usage = outcome.usage(transcript(report(), report(source="estimated")), Timing())
    assert usage.source == "estimated"


@pytest.mark.parametrize(
    ("error", "retryable"),
    [
        (ProviderError("upstream_overloaded", "x", retryable=True), True),
        (ProviderError("upstream_error", "x", retryable=False), False),
        (outcome.interrupted(), True),
        (Unavailable("x"), True),
        (RunTimeout(), False),
        (ClawError("key_revoked", "x"), False),
    ],
)
def test_an_error_says_whether_to_try_again(error, retryable):
    failed = outcome.failed(error, transcript(), Timing())
    assert (failed.retryable, failed.code, failed.content) == (retryable, error.code, "Hé")
    assert failed.retry_after == error.retry_after


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("run_interrupted", "interrupted"),
        ("budget_exceeded", "budget_exceeded"),
        ("upstream_error", "error"),
    ],
)
def test_done_names_the_reason(code, reason):
    ended = transcript()
    fold(ended, outcome.failed(ClawError(code, "x"), ended, Timing()))
    assert outcome.done(ended).reason == reason


def test_a_cancelled_run_keeps_its_text():
    ended = transcript()
    end = outcome.cancelled(ended, Timing())
    assert (end.content, end.stop_reason) == ("Hé", "cancelled")
    assert outcome.done(fold(ended, end)).reason == "cancelled"


def test_without_an_outcome_nothing_is_done():
    with pytest.raises(ValueError, match="outcome"):
        outcome.done(transcript())


def test_times_count_from_the_run_s_own_beginning():
    timing = Timing(begun=time.monotonic() - 0.25)
    assert timing.tokens_per_second(5) is None  # as long as no token came
    assert 250 <= timing.first_token_came() <= timing.elapsed_ms()
    assert timing.tokens_per_second(1) is None
