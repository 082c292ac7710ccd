"""`conversations.feed.watch`: what one reader may see of the feed."""

from dataclasses import replace
from datetime import UTC, datetime

import msgspec

from agents.caller import Caller
from agents.principal import Principal
from conversations.feed.base import Kept
from conversations.feed.feed import Feed
from conversations.feed.runs import RunFeed
from conversations.feed.stores.local import DatabaseStore
from conversations.feed.watch import Watch
from conversations.signals.channel import Signals
from core.database import database_step
from tests.agents.callers import having
from tests.conversations.feed.events import opened, went_on
from tests.conversations.feed.told import Told
from tests.conversations.parts import ask
from wire import feed as wire

NOW = datetime(2026, 11, 30, tzinfo=UTC)


def watch(principal: Principal, **fields: object) -> Watch:
    return replace(Watch(principal, frozenset(), None, None), **fields)


def may(caller: Caller, *scopes: str) -> Principal:
    return having(caller, scopes=frozenset(scopes)).principal


async def test_it_works(caller: Caller) -> None:
    kept = [Kept("e.1", opened("run_1")), Kept("", went_on("run_1"))]
    shown = await watch(may(caller, "monitor:read")).select(kept)
    assert shown == [("e.1", b"{}"), ("", went_on("run_1").data)]


async def test_other_agents_and_other_types_are_not_shown(caller: Caller) -> None:
    kept = [Kept("e.1", opened("run_1")), Kept("e.2", replace(opened("run_2"), agent_id="agt_2"))]
    principal = may(caller, "monitor:read")
    assert await watch(principal, agents=frozenset({"agt_2"})).select(kept) == [("e.2", b"{}")]
    assert await watch(principal, types=frozenset({"run:error"})).select(kept) == []


async def test_the_state_has_what_runs_with_its_latest_progress(told: Told, caller: Caller) -> None:
    accepted = await database_step(ask, caller)
    run, store = accepted.run, told.feed.store
    await store.append(1, {run.organization_id: [opened(run.pk)]})
    progress = wire.RunProgress(at=NOW, run_id=run.pk, tokens=7, cost=0.5, elapsed_ms=1)
    await store.note(run.organization_id, {run.pk: msgspec.json.encode(progress)})
    cursor, state = await watch(may(caller, "monitor:read")).state(told.feed, [])
    (shown,) = state.runs
    assert (shown.id, shown.tokens, shown.token_usage.total, shown.cost) == (run.pk, 7, 7, 0.5)
    assert cursor == await store.newest(run.organization_id)
    _, state = await watch(may(caller, "monitor:read"), agents=frozenset()).state(told.feed, [])
    assert state.runs == []


async def test_connections_of_other_agents_are_not_shown(told: Told, caller: Caller) -> None:
    one = wire.OpenConnection(
        id="conn_1", agent_id="agt_1", transport="sse", principal="key_1", since=NOW
    )
    for agents, shown in ((None, [one]), (frozenset({"agt_1"}), [one]), (frozenset(), [])):
        reader = watch(may(caller, "monitor:read"), agents=agents)
        assert (await reader.state(told.feed, [one]))[1].connections == shown


async def test_runs_that_went_on_before_anybody_looked_have_a_whole_life(
    signals: Signals, caller: Caller
) -> None:
    """Also where the process that ends one has announced it long before."""
    accepted = await database_step(ask, caller)
    run, feed = accepted.run, Feed(DatabaseStore(retention=600), signals)
    writer = RunFeed(feed)
    feed.start()
    try:
        writer.accepted(run)
        await feed.stop()  # it has been told, and nobody wanted to know
        feed.start()
        cursor, state = await watch(may(caller, "monitor:read")).state(feed, [])
        assert [shown.id for shown in state.runs] == [run.pk]
        told = Told(feed, run.organization_id, cursor)
        assert [one["type"] for one in await told.until(run, "run:started")] == ["run:started"]
        assert await feed.store.unclosed() == [run.pk]
        writer.close(run, "complete")
        types = [one["type"] for one in await told.until(run, "run:completed")]
        assert types == ["run:started", "run:completed"]
    finally:
        await feed.stop()
