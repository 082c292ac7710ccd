"""`conversations.execution.recording.completion`: logs and rows agree about what has ended."""

import pytest

from conversations.execution import recovery
from conversations.models import Run
from core.database import database_step
from engine.log.base import UnknownRun
from tests.conversations.execution.killed import answered, claimed, commit, said, types
from tests.conversations.parts import Parts, reload


async def test_a_commit_without_done_gets_its_done_at_start(life, tmp_path, caller):
    async def killed(before: Parts) -> Run:
        attempt = await claimed(before, caller)
        answered(attempt)
        await commit(before, attempt)
        return attempt.run

    run = await life(killed)
    async with Parts(tmp_path / "runs") as parts:
        events = await parts.events(run)
        row = await database_step(reload, run)

    assert types(events)[-2:] == ["message_complete", "done"]
    assert (row.status, row.last_seq) == ("completed", events[-1].seq)


async def test_a_done_that_could_not_be_written_is_written_later(parts, caller, monkeypatch):
    """P5: the disk was full, say, for just this event."""
    monkeypatch.setattr(recovery, "SETTLE_SECONDS", 0.0)
    attempt = await claimed(parts, caller)
    answered(attempt)
    await commit(parts, attempt)
    assert (await parts.transcript(attempt.run)).done is None
    await parts.recovery.sweep()
    assert types(await parts.events(attempt.run))[-2:] == ["message_complete", "done"]


async def test_p39_the_log_of_a_deleted_run_is_erased(parts, caller):
    """Rows may also go by way of the admin, or with their organisation."""
    attempt = await claimed(parts, caller)
    said(attempt, "SECRET-MARKER ")
    await attempt.writer.flush()
    journal = parts.folder / f"{attempt.run.pk}.jsonl"
    assert b"SECRET-MARKER" in journal.read_bytes()
    await database_step(attempt.run.conversation.delete)
    await parts.recovery.sweep()
    assert not journal.exists()


@pytest.mark.parametrize("code", [None, "key_revoked"])
async def test_a_withdrawal_without_its_events_gets_them_at_start(life, tmp_path, caller, code):
    async def killed(before: Parts) -> Run:
        run = await before.accept(caller)
        error = {"code": code, "message": "This key has been revoked."} if code else None
        run.status, run.error = "failed" if code else "cancelled", error
        await database_step(run.save)
        return run

    run = await life(killed)
    async with Parts(tmp_path / "runs") as parts:
        events = await parts.events(run)

    assert types(events) == ["run_started", "error" if code else "cancelled", "done"]
    if code:
        assert events[1].code == code


async def test_a_log_without_its_run_is_forgotten_at_start(life, tmp_path, caller):
    async def killed(before: Parts) -> Run:
        run = await before.accept(caller)
        await database_step(run.conversation.delete)
        return run

    run = await life(killed)
    async with Parts(tmp_path / "runs") as parts:
        with pytest.raises(UnknownRun):
            await parts.events(run)
