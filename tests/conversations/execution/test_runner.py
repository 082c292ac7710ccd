"""`conversations.execution.runner`: from a claimed run to its `done`, whatever the model does."""

import asyncio
import itertools
from dataclasses import replace

import pytest

from accounts.models import Secret
from agents.models import Agent
from conversations.execution.dispatch.handle import RunHandle
from conversations.models import Run
from conversations.rendering import render_message
from core.database import database_step
from engine.events import Event
from engine.log.base import Fenced
from engine.providers.registry import PROVIDERS
from tests.agents.callers import caller_of
from tests.conversations.parts import ENDLESS, reload, take
from tests.upstream import Upstream, expected_text
from wire.snapshot import message_of


@pytest.fixture
async def upstream():
    async with Upstream() as upstream:
        yield upstream


@pytest.fixture
def model(caller, agent, upstream, settings):
    """`caller`, whose agent is answered by the local model server."""
    settings.ANTHROPIC_BASE_URL, settings.ANTHROPIC_API_KEY = upstream.url, "sk-test"
    agent.organization.platform_credentials = True
    agent.organization.save()
    return agent


async def through_model(parts, caller, model: Agent, directive: str) -> Run:
    """A run that the model server answers as told."""
    run = await parts.accept(caller, f"[[upstream {directive}]]")
    agent = replace(
        caller.agent, provider="anthropic", model="claude-sonnet-5-5", platform_credentials=True
    )
    run.provider, run.model, run.config = "anthropic", agent.model, vars(agent)
    await database_step(run.save)
    parts.dispatcher.submit(run)
    return run


def contents(events: list[Event], type_: str) -> str:
    return "".join(event.content for event in events if event.type == type_)


async def same_everywhere(parts, run: Run) -> Run:
    """P9: the fold of the events is the message in the history. Returns the row."""
    row = await parts.ended(run)
    transcript = await parts.transcript(run)
    assert message_of(transcript, row.message.created_at) == render_message(row.message, run.pk)
    assert transcript.last_seq == row.last_seq
    return row


async def test_it_works(parts, caller, model):
    run = await through_model(parts, caller, model, "tokens=30 content=unicode")
    row = await same_everywhere(parts, run)

    assert row.status == "completed"
    assert row.message.content == expected_text("tokens=30 content=unicode")
    assert row.usage["source"] == "provider"
    assert row.cost > 0
    assert row.started_at <= row.first_token_at <= row.finished_at


@pytest.mark.parametrize(
    "text", ["/think\n/delay 1\n/echo a b c", "/delay 1\n/fail", "/long 40\n/delay 1"]
)
async def test_p9_the_fold_is_the_history(parts, caller, text):
    row = await same_everywhere(parts, await parts.start(caller, text))
    assert row.status == ("failed" if text.endswith("/fail") else "completed")
    assert bool(row.message.thinking) is text.startswith("/think")


@pytest.mark.parametrize(
    ("directive", "code"),
    [
        ("mode=truncate", "upstream_truncated"),
        ("mode=drop", "upstream_truncated"),
        ("mode=error", "upstream_overloaded"),
        ("mode=malformed", "upstream_error"),
        ("mode=http status=400", "upstream_error"),
    ],
)
async def test_p5_p6_a_fault_of_the_model_server_is_one_error(
    parts, caller, model, directive, code, caplog
):
    run = await through_model(parts, caller, model, directive)
    events = await parts.events(run)
    row = await same_everywhere(parts, run)

    assert [event.type for event in events][-4:] == ["typing", "timeline", "error", "done"]
    assert (row.status, row.error["code"]) == ("failed", code)
    assert row.message.content == contents(events, "token")
    assert "SECRET-UPSTREAM-DETAIL" not in str(row.error)
    reported = [event for event in events if event.type == "usage"]
    assert row.usage["outputTokens"] == sum(event.output_tokens for event in reported)


async def test_p10_a_cancel_reaches_the_model_server(parts, caller, model, upstream):
    run = await through_model(parts, caller, model, "tokens=1000 delay=5")
    await parts.reach(run, "token")
    await parts.dispatcher.cancel(run)
    await asyncio.wait_for(upstream.until(lambda: upstream.streams[0].state == "aborted"), 2)

    row = await same_everywhere(parts, run)
    assert row.status == "cancelled"
    assert expected_text("tokens=1000").startswith(row.message.content)


async def test_a_run_ends_at_its_wall_clock(parts, caller, settings):
    settings.CLAW_RUN_TIMEOUT = 0.5
    row = await same_everywhere(parts, await parts.start(caller, ENDLESS))

    assert (row.status, row.error["code"]) == ("failed", "upstream_timeout")
    assert row.message.content


async def test_a_silent_model_server_is_not_waited_for(parts, caller, model, settings, caplog):
    settings.CLAW_PROVIDER_IDLE_TIMEOUT = 0.5
    run = await through_model(parts, caller, model, "mode=stall at=3")
    row = await same_everywhere(parts, run)

    assert row.error["code"] == "upstream_timeout"
    assert row.message.content == expected_text("tokens=3")


async def test_an_agent_without_credentials_fails_as_such(parts, caller):
    run = await parts.accept(caller)
    run.config |= {"provider": "anthropic"}
    parts.dispatcher.submit(run)
    row = await same_everywhere(parts, run)

    assert row.error["code"] == "upstream_error"
    assert row.usage["totalTokens"] == 0


async def test_p37_a_defect_of_ours_ends_the_run_and_says_nothing_of_itself(
    parts, caller, caplog, monkeypatch
):
    broken = replace(PROVIDERS["demo"], factory="engine.providers.demo.provider:NoSuchClass")
    monkeypatch.setitem(PROVIDERS, "demo", broken)
    row = await same_everywhere(parts, await parts.start(caller))

    assert (row.status, row.error["code"]) == ("failed", "internal_error")
    assert "NoSuchClass" not in str(row.error)
    assert "NoSuchClass" in caplog.text


async def test_p30_the_organisation_s_own_key_is_in_no_event(parts, caller, model, upstream):
    def own_credential() -> Secret:
        return Secret.objects.create(
            organization=model.organization, name="ours", value="sk-marker"
        )

    secret = await database_step(own_credential)
    caller = replace(caller, agent=replace(caller.agent, credential_id=secret.id))
    run = await through_model(parts, caller, model, "mode=http status=400")
    events = await parts.events(run)

    assert "sk-marker" not in str(events)
    assert upstream.requests


async def test_the_index_of_tokens_has_no_gap(parts, caller):
    run = await parts.start(caller, "/think\n/long 50\n/delay 1")
    events = await parts.events(run)

    for type_ in ("token", "thinking"):
        assert [event.index for event in events if event.type == type_] == list(
            range(sum(event.type == type_ for event in events))
        )
    assert all(b.seq == a.seq + 1 for a, b in itertools.pairwise(events))


async def test_an_attempt_that_was_taken_over_is_fenced(parts, caller):
    run = await parts.accept(caller, "/delay 100")
    first = await database_step(take, run)
    task = asyncio.create_task(parts.runner.execute(first, RunHandle(first.run)))
    await parts.reach(run, "typing")
    later = await database_step(take, await database_step(reload, run))
    transcript = await parts.transcript(run)
    handle = RunHandle(later.run)
    handle.stop()
    await parts.runner.execute(later, handle, transcript)

    with pytest.raises(Fenced):
        await task
    events = await parts.events(run)
    assert [event.type for event in events].count("done") == 1
    assert (await database_step(reload, run)).status == "cancelled"


async def test_an_attempt_goes_on_after_all_that_the_one_before_it_wrote(parts, caller):
    """Also after what that one, slow but alive, wrote while it was being taken over."""
    run = await parts.accept(caller, ENDLESS)
    first = await database_step(take, run)
    slow = asyncio.create_task(parts.runner.execute(first, RunHandle(first.run)))
    await parts.reach(run, "token")
    read = await parts.transcript(run)
    await parts.events(run, lambda event: getattr(event, "index", 0) > read.token_count + 3)
    later = await database_step(take, await database_step(reload, run))
    handle = RunHandle(later.run)
    handle.task = asyncio.create_task(parts.runner.execute(later, handle, read))
    await parts.reach(run, "status")
    handle.stop()
    await handle.task
    with pytest.raises(Fenced):
        await slow

    tokens = [event.index for event in await parts.events(run) if event.type == "token"]
    assert tokens == list(range(len(tokens)))
    await same_everywhere(parts, run)


async def test_the_process_s_own_end_is_not_a_user_s_cancel(parts, caller):
    run = await parts.accept(caller, ENDLESS)
    claimed = await database_step(take, run)
    task = asyncio.create_task(parts.runner.execute(claimed, RunHandle(run)))
    await parts.reach(run, "token")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert (await database_step(reload, run)).status == "running"
    assert (await parts.transcript(run)).outcome is None


async def test_two_organisations_do_not_meet(parts, caller, foreign_key, foreign_agent):
    other = caller_of(foreign_key[0], foreign_agent)
    runs = [await parts.start(who, f"/delay 1\n/echo {who.agent.slug}") for who in (caller, other)]
    rows = [await parts.ended(run) for run in runs]

    assert [row.message.content for row in rows] == ["helper", "spy"]


@pytest.mark.parametrize("room", [0, 7, 1000])
async def test_an_answer_that_grows_too_long_is_cut_with_what_fits(
    parts, caller, model, upstream, settings, room
) -> None:
    """P13, P10: whole in log and history, charged, and the model server is left at once."""
    settings.CLAW_MAX_ANSWER_BYTES = room
    run = await through_model(parts, caller, model, "tokens=100000 delay=1 content=unicode")
    row = await same_everywhere(parts, run)
    whole = expected_text("tokens=1000 content=unicode").encode()
    assert row.message.content == whole[:room].decode(errors="ignore")
    assert (row.status, row.error["code"]) == ("failed", "upstream_error")
    assert row.usage["source"] == "estimated" and row.usage["inputTokens"] > 0
    await upstream.until(lambda: upstream.streams[0].state != "open")
    assert upstream.streams[0].state == "aborted"
