"""`conversations.feed.run_objects`: a run as the command center shows it, at any time."""

from msgspec import UNSET

from agents.caller import Caller
from conversations.feed.run_objects import result, run_object
from core.database import database_step
from tests.agents.callers import having
from tests.conversations.parts import QUICK, Parts, ask


async def test_it_works(parts: Parts, caller: Caller) -> None:
    run = await parts.ended(await parts.start(caller, QUICK))
    shown = run_object(run)
    usage = run.usage
    assert shown.tokens == shown.token_usage.total == usage["totalTokens"]
    assert (shown.token_usage.input, shown.token_usage.output) == (
        usage["inputTokens"],
        usage["outputTokens"],
    )
    assert (shown.latency_ms, shown.ttft_ms) == (usage["latencyMs"], usage["ttftMs"])
    assert shown.started_at is not None and shown.completed_at is not None
    assert (shown.agent_name, shown.key_id) == ("Helper", caller.principal.key_id)
    assert (shown.user, shown.error) == (UNSET, UNSET)
    assert result(run, "complete").cost == usage["cost"]


def test_as_it_was_when_it_was_accepted(caller: Caller) -> None:
    run = ask(caller).run
    shown = run_object(run, status="queued")
    assert (shown.status, shown.tokens, shown.cost) == ("queued", 0, None)
    assert shown.started_at is shown.completed_at is shown.latency_ms is None


async def test_a_named_user_is_shown_by_their_name(caller: Caller) -> None:
    accepted = await database_step(ask, having(caller, owner="user:42"))
    shown = run_object(accepted.run)
    assert (shown.owner, shown.user) == ("user:42", "42")
