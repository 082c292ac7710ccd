"""`conversations.execution.recording.recorder`: outcomes into rows, together, and each once."""

import asyncio
from typing import Any

import msgspec
import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from agents.caller import Caller
from conversations.execution.acceptance import Accepted, accept
from conversations.execution.opening import first_fold
from conversations.execution.recording import outcome
from conversations.execution.recording.outcome import Timing
from conversations.execution.recording.recorder import FinishedRun, Recorder, write
from conversations.models import Run
from core.database import database_step
from engine import events as ev
from engine.errors import Unavailable
from engine.log.base import Fenced
from engine.transcript import ToolUse, fold
from tests.conversations.parts import ask, asked, reload, take


def answered(run: Run, text: str = "Hello") -> FinishedRun:
    """A claimed run, with an answer that is to be stored."""
    transcript = first_fold(run)
    fold(transcript, ev.Typing(status="start"))
    fold(transcript, ev.Token(content=text, index=0))
    fold(transcript, ev.Step(stop_reason="end_turn"))
    return FinishedRun(run, run.attempt, fold(transcript, outcome.complete(transcript, Timing())))


def claimed(caller: Any, **fields: Any) -> Run:
    claimed = take(ask(caller, **fields).run)
    assert claimed is not None
    return claimed.run


def begun(caller: Caller, **fields: Any) -> Run:
    """A run that is claimed where it is accepted, as `serve` does it."""
    (answer,) = accept([asked(caller, **fields)], here=True)
    assert isinstance(answer, Accepted) and answer.claimed
    return answer.run


def refuse(finished: FinishedRun) -> FinishedRun:
    """What no row can hold."""
    finished.transcript.tools.append(ToolUse(id="t", tool="t", args={"n": object()}))
    return finished


def statements(captured: CaptureQueriesContext) -> list[str]:
    """The SQL that was captured, but for transactions."""
    around = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")
    return [
        query["sql"] for query in captured.captured_queries if not query["sql"].startswith(around)
    ]


async def test_it_works(caller):
    run = await database_step(claimed, caller)
    assert await Recorder().commit(answered(run)) == []

    run = await database_step(reload, run)
    assert (run.status, run.message.status, run.message.content) == (
        *("completed", "completed"),
        "Hello",
    )
    assert run.message.stop_reason == "end_turn"
    assert run.usage == run.message.usage
    assert run.usage["totalTokens"] == 0
    assert run.cost == 0
    assert run.finished_at >= run.started_at


def test_what_is_stored_is_what_the_transcript_says(caller):
    run = claimed(caller)
    transcript = first_fold(run)
    call = {"id": "t", "tool": "add", "args": {"n": 1}}
    block = {"type": "tool_use", "id": "t", "name": "add", "input": {"n": 1}}
    fold(transcript, ev.Thinking(content="hm", index=0))
    fold(transcript, ev.ToolCall(**call, name="add", arguments={"n": 1}))
    fold(transcript, ev.Step(stop_reason="tool_use", blocks=[block]))
    fold(transcript, ev.Token(content="Hi", index=0, ttft_ms=250))
    fold(transcript, ev.Step(stop_reason="end_turn"))
    transcript.last_seq = 9
    fold(transcript, outcome.failed(outcome.interrupted(), transcript, Timing()))
    write([FinishedRun(run, run.attempt, transcript)])

    run = reload(run)
    message = run.message
    assert (message.thinking, message.tools) == ("hm", [call])
    assert [turn["role"] for turn in message.steps["turns"]] == ["assistant", "user", "assistant"]
    assert message.steps["turns"][0]["blocks"] == [block]
    assert run.status == message.status == "interrupted"
    assert run.error == message.error == msgspec.to_builtins(transcript.error)
    assert run.last_seq == 10  # `done` comes after this
    assert (run.first_token_at - run.started_at).total_seconds() == 0.25


def test_an_unknown_cost_is_null(caller):
    finished = answered(claimed(caller))
    end = finished.transcript.outcome
    finished.transcript.outcome = ev.MessageComplete(
        content="", stop_reason="end_turn", usage=ev.Usage(**{**_fields(end.usage), "cost": None})
    )
    write([finished])

    assert reload(finished.run).cost is None


def _fields(usage: ev.Usage) -> dict[str, Any]:
    return {name: getattr(usage, name) for name in usage.__struct_fields__}


def test_the_conversation_s_next_run_is_returned(caller):
    first = claimed(caller, conversation_id="abc")
    second, _ = (ask(caller, conversation_id="abc").run for _ in range(2))
    other = claimed(caller)

    assert write([answered(first), answered(other)]) == [[second], []]


def test_a_later_attempt_s_run_is_not_touched(caller):
    run, other = claimed(caller), claimed(caller)
    late = answered(reload(run), "late")
    take(run)

    results = write([late, answered(other)])

    assert isinstance(results[0], Fenced)
    assert results[1] == []
    assert (reload(run).status, reload(run).message.content) == ("running", "")
    assert reload(other).status == "completed"


def test_a_run_ends_once(caller):
    run = claimed(caller)
    first, second = answered(run, "first"), answered(reload(run), "second")
    assert write([first]) == [[]]

    assert isinstance(write([second])[0], Fenced)
    assert reload(run).message.content == "first"


async def test_twenty_that_end_together_share_one_transaction(caller):
    runs = [await database_step(claimed, caller) for _ in range(20)]
    recorder = Recorder()
    captured = CaptureQueriesContext(connection)
    await database_step(captured.__enter__)
    await asyncio.gather(*(recorder.commit(answered(run)) for run in runs))
    await database_step(captured.__exit__, None, None, None)

    assert len(await database_step(statements, captured)) == 6
    assert await database_step(Run.objects.filter(status="completed").count) == 20


@pytest.mark.parametrize("existing", [False, True], ids=["new", "existing"])
def test_an_answer_costs_at_most_six_statements(caller, existing):
    names = [ask(caller).run.conversation_id for _ in range(20)] if existing else [None] * 20
    Run.objects.update(status="completed")
    with CaptureQueriesContext(connection) as captured:
        runs = [begun(caller, conversation_id=name) for name in names]
        write([answered(run) for run in runs])

    assert len(statements(captured)) <= 6 * 20


async def test_p5_a_row_that_the_database_refuses_ends_its_run_and_no_other(caller, caplog):
    runs = [await database_step(claimed, caller) for _ in range(3)]
    finals = [answered(run) for run in runs]
    refuse(finals[1])
    recorder = Recorder()

    assert await asyncio.gather(*map(recorder.commit, finals)) == [[]] * 3

    stored = [await database_step(reload, run) for run in runs]
    assert [run.status for run in stored] == ["completed", "failed", "completed"]
    assert stored[1].error == stored[1].message.error
    assert stored[1].error["code"] == "internal_error"
    assert (stored[1].message.status, stored[1].message.content) == ("failed", "")
    assert stored[1].usage == stored[0].usage | {"latencyMs": stored[1].usage["latencyMs"]}
    assert outcome.done(finals[1].transcript).reason == "error"
    assert "cannot be stored" in caplog.text


async def test_the_next_in_line_goes_on_behind_a_row_that_is_refused(caller):
    first = await database_step(claimed, caller, conversation_id="abc")
    second = (await database_step(ask, caller, conversation_id="abc")).run

    assert await Recorder().commit(refuse(answered(first))) == [second]


async def test_what_is_refused_is_fenced_like_any_other(caller):
    run = await database_step(claimed, caller)
    late = refuse(answered(await database_step(reload, run)))
    await database_step(take, run)

    with pytest.raises(Fenced):
        await Recorder().commit(late)


async def test_without_a_database_all_are_told(caller, caplog):
    runs = [await database_step(claimed, caller) for _ in range(3)]
    recorder = Recorder()
    await database_step(lambda: connection.execute_wrappers.append(_gone))
    try:
        commits = [recorder.commit(answered(run)) for run in runs]
        results = await asyncio.gather(*commits, return_exceptions=True)
    finally:
        await database_step(lambda: connection.execute_wrappers.remove(_gone))

    assert all(isinstance(result, Unavailable) for result in results)
    assert not await database_step(Run.objects.filter(status="completed").exists)


def _gone(*statement: Any) -> None:
    """What a driver raises for a server that does not answer."""
    raise OperationalError("the connection is lost")


async def test_a_caller_that_goes_away_loses_nothing(caller):
    run = await database_step(claimed, caller)
    recorder = Recorder()
    task = asyncio.create_task(recorder.commit(answered(run)))
    await asyncio.sleep(0)
    task.cancel()
    await recorder.aclose()

    assert (await database_step(reload, run)).status == "completed"


def test_the_time_of_the_first_token_is_known_only_with_one(caller):
    finished = answered(claimed(caller))
    write([finished])
    assert reload(finished.run).first_token_at is None
