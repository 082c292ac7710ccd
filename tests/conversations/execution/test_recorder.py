"""`conversations.execution.recorder`: outcomes into rows, together, and each once."""

import asyncio
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.database import database_step
from conversations.execution import outcome
from conversations.execution.job import first_fold
from conversations.execution.outcome import Timing
from conversations.execution.recorder import Final, Recorder, token_time, write
from conversations.models import Conversation, Message, Run
from engine import events as ev
from engine.errors import Unavailable
from engine.log.base import Fenced
from engine.transcript import fold
from tests.conversations.parts import ask, reload, take


def answered(run: Run, text: str = "Hello") -> Final:
    """A claimed run, with an answer that is to be stored."""
    transcript = first_fold(run)
    fold(transcript, ev.Typing(status="start"))
    fold(transcript, ev.Token(content=text, index=0))
    fold(transcript, ev.Step(stop_reason="end_turn"))
    return Final(run, run.attempt, fold(transcript, outcome.complete(transcript, Timing())), None)


def claimed(caller: Any, **fields: Any) -> Run:
    job = take(ask(caller, **fields).run)
    assert job is not None
    return job.run


def refuse(final: Final) -> Final:
    """What no row can hold."""
    final.transcript.tools.append({"id": "t", "tool": "t", "args": object()})
    return final


def statements(captured: CaptureQueriesContext) -> list[str]:
    """The SQL that was captured, but for transactions."""
    around = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")
    return [
        query["sql"] for query in captured.captured_queries if not query["sql"].startswith(around)
    ]


async def test_it_works(caller):
    run = await database_step(claimed, caller)
    assert await Recorder().commit(answered(run)) is None

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
    fold(transcript, ev.Thinking(content="hm", index=0))
    fold(transcript, ev.ToolCall(**call, name="add", arguments={"n": 1}))
    fold(transcript, ev.Step(stop_reason="tool_use", blocks=[{"type": "tool_use"}]))
    fold(transcript, ev.Step(stop_reason="end_turn"))
    transcript.last_seq = 9
    fold(transcript, outcome.failed(outcome.interrupted(), transcript, Timing()))
    write([Final(run, run.attempt, transcript, token_time(run, 250))])

    run = reload(run)
    message = run.message
    assert (message.thinking, message.tools, message.steps) == (
        *("hm", [call]),
        [[{"type": "tool_use"}]],
    )
    assert run.status == message.status == "interrupted"
    assert run.error == message.error == transcript.error()
    assert run.last_seq == 10  # `done` comes after this
    assert (run.first_token_at - run.started_at).total_seconds() == 0.25


def test_an_unknown_cost_is_null(caller):
    final = answered(claimed(caller))
    end = final.transcript.outcome
    final.transcript.outcome = ev.MessageComplete(
        content="", stop_reason="end_turn", usage=ev.Usage(**{**_fields(end.usage), "cost": None})
    )
    write([final])

    assert reload(final.run).cost is None


def _fields(usage: ev.Usage) -> dict[str, Any]:
    return {name: getattr(usage, name) for name in usage.__struct_fields__}


def test_the_conversation_s_next_run_is_returned(caller):
    first = claimed(caller, conversation_id="abc")
    second, _ = (ask(caller, conversation_id="abc").run for _ in range(2))
    other = claimed(caller)

    assert write([answered(first), answered(other)]) == [second, None]


def test_a_later_attempt_s_run_is_not_touched(caller):
    run, other = claimed(caller), claimed(caller)
    late = answered(reload(run), "late")
    take(run)

    results = write([late, answered(other)])

    assert isinstance(results[0], Fenced)
    assert results[1] is None
    assert (reload(run).status, reload(run).message.content) == ("running", "")
    assert reload(other).status == "completed"


def test_a_run_ends_once(caller):
    run = claimed(caller)
    first, second = answered(run, "first"), answered(reload(run), "second")
    assert write([first]) == [None]

    assert isinstance(write([second])[0], Fenced)
    assert reload(run).message.content == "first"


async def test_twenty_that_end_together_share_one_transaction(caller):
    runs = [await database_step(claimed, caller) for _ in range(20)]
    recorder = Recorder()
    captured = CaptureQueriesContext(connection)
    await database_step(captured.__enter__)
    await asyncio.gather(*(recorder.commit(answered(run)) for run in runs))
    await database_step(captured.__exit__, None, None, None)

    assert len(await database_step(statements, captured)) == 5
    assert await database_step(Run.objects.filter(status="completed").count) == 20


@pytest.mark.parametrize("existing", [False, True], ids=["new", "existing"])
def test_an_answer_costs_at_most_six_statements(caller, existing):
    names = [ask(caller).run.conversation_id for _ in range(20)] if existing else [None] * 20
    Run.objects.update(status="completed")
    with CaptureQueriesContext(connection) as captured:
        runs = [claimed(caller, conversation_id=name) for name in names]
        write([answered(run) for run in runs])

    assert len(statements(captured)) <= 6 * 20


async def test_one_bad_row_does_not_fail_its_neighbours(caller):
    runs = [await database_step(claimed, caller) for _ in range(3)]
    finals = [answered(run) for run in runs]
    refuse(finals[1])
    recorder = Recorder()

    results = await asyncio.gather(*map(recorder.commit, finals), return_exceptions=True)

    assert [type(result) for result in results] == [type(None), TypeError, type(None)]
    assert [(await database_step(reload, run)).status for run in runs] == [
        *("completed", "running", "completed")
    ]


async def test_it_goes_on_after_a_failure(caller):
    bad, good = [await database_step(claimed, caller) for _ in range(2)]
    recorder = Recorder()
    with pytest.raises(TypeError):
        await recorder.commit(refuse(answered(bad)))

    assert await recorder.commit(answered(good)) is None


async def test_without_a_database_all_are_told(caller, caplog):
    runs = [await database_step(claimed, caller) for _ in range(3)]
    recorder = Recorder()
    tables = [Message._meta.db_table, Conversation._meta.db_table]
    await database_step(_rename, tables[0], "gone")
    try:
        commits = [recorder.commit(answered(run)) for run in runs]
        results = await asyncio.gather(*commits, return_exceptions=True)
    finally:
        await database_step(_rename, "gone", tables[0])

    assert all(isinstance(result, Unavailable) for result in results)
    assert not await database_step(Run.objects.filter(status="completed").exists)


def _rename(old: str, new: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {old} RENAME TO {new}")


async def test_a_caller_that_goes_away_loses_nothing(caller):
    run = await database_step(claimed, caller)
    recorder = Recorder()
    task = asyncio.create_task(recorder.commit(answered(run)))
    await asyncio.sleep(0)
    task.cancel()
    await recorder.aclose()

    assert (await database_step(reload, run)).status == "completed"


def test_the_time_of_the_first_token_is_known_only_with_one(caller):
    run = claimed(caller)
    assert token_time(run, None) is None
    run.started_at = None
    assert token_time(run, 5) is None
