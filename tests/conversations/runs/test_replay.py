"""`conversations.runs.replay`: events with their times, and what the model was sent."""

import pytest

from conversations.runs.replay import replay, sent_request
from core.database import database_step
from engine.errors import ClawError
from tests.conversations.parts import reload


async def ended(parts, caller, text="Say hello"):
    run = await parts.start(caller, text)
    await parts.events(run)
    return await database_step(reload, run)


async def test_it_works(parts, caller):
    run = await ended(parts, caller)
    shown = await replay(parts.log, run, 0)
    types = [each.type for each in shown.events]
    assert types[:2] == ["run_started", "typing"] and types[-2:] == ["message_complete", "done"]
    assert not {"step", "timeline"} & {*types}
    said = "".join(each.event["content"] for each in shown.events if each.type == "token")
    assert said == run.message.content
    times = [each.at for each in shown.events]
    assert None not in times and times == sorted(times)
    assert times[0] == run.created_at and times[-1] == run.finished_at
    gaps = [each.gap_ms for each in shown.events[1:]]
    total = (times[-1] - times[0]).total_seconds() * 1000
    assert abs(sum(gaps) - total) < len(gaps)
    assert [gap.gap_ms for gap in shown.longest_gaps] == sorted(filter(None, gaps))[::-1][:10]
    (call,) = shown.calls
    assert call.usage.output_tokens == run.usage["outputTokens"]
    assert shown.next_cursor is None


async def test_it_goes_on_after_a_position(parts, caller):
    run = await ended(parts, caller)
    whole = await replay(parts.log, run, 0)
    middle = whole.events[len(whole.events) // 2]
    rest = await replay(parts.log, run, middle.seq - 1)
    assert rest.events == whole.events[len(whole.events) // 2 :]


async def test_what_the_model_was_sent(parts, caller):
    run = await ended(parts, caller)
    sent = await sent_request(parts.log, run, 1)
    assert sent.turns[-1].content == "Say hello"
    assert (sent.model, sent.instructions) == (run.model, run.config["instructions"])
    with pytest.raises(ClawError, match="no such call"):
        await sent_request(parts.log, run, 2)


async def test_a_log_that_is_gone_is_said_to_be(parts, caller):
    run = await ended(parts, caller)
    await parts.log.erase(run.pk)
    with pytest.raises(ClawError) as refused:
        await replay(parts.log, run, 0)
    assert refused.value.code == "history_expired"
