"""`conversations.process.metrics`: what becomes of runs is counted."""

from agents.caller import Caller
from conversations.process.metrics import Present, RunMetrics, observe_error
from core.metrics import REGISTRY
from tests.conversations.parts import ENDLESS, QUICK, Parts


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_it_works(parts: Parts, caller: Caller) -> None:
    parts.observers._observers = (RunMetrics(),)
    names = ({"provider": "demo", "reason": "complete"}, {"provider": "demo", "kind": "output"})
    before = value("clawsite_runs_total", **names[0]), value("clawsite_tokens_total", **names[1])
    run = await parts.ended(await parts.start(caller, QUICK))
    assert value("clawsite_runs_total", **names[0]) == before[0] + 1
    assert value("clawsite_tokens_total", **names[1]) == before[1] + run.usage["outputTokens"]
    assert value("clawsite_first_token_seconds_count", provider="demo") > 0


async def test_a_stop_is_timed(parts: Parts, caller: Caller) -> None:
    parts.observers._observers = (RunMetrics(),)
    before = value("clawsite_cancel_seconds_count", provider="demo")
    run = await parts.start(caller, ENDLESS)
    await parts.reach(run, "token")
    await parts.dispatcher.cancel(run)
    await parts.events(run)
    assert value("clawsite_cancel_seconds_count", provider="demo") == before + 1


def test_errors_are_counted_by_code() -> None:
    before = value("clawsite_errors_total", code="forbidden")
    observe_error("forbidden")
    assert value("clawsite_errors_total", code="forbidden") == before + 1


def test_what_is_gone_counts_nothing() -> None:
    there = {"connections": {"open": 3}}
    present = Present(lambda: there)
    present.look()
    assert value("clawsite_connections", state="open") == 3
    there.clear()
    present.look()
    assert value("clawsite_connections", state="open") == 0
