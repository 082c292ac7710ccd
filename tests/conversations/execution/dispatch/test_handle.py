"""`dispatch.handle`: a stop cuts the model's part of a run, and nothing else."""

import asyncio

import pytest

from conversations.execution.dispatch.handle import RunHandle
from conversations.models import Run
from engine.errors import ClawError


class Attempt:
    """A task that produces until it is stopped, and then records."""

    def __init__(self) -> None:
        self.handle = RunHandle(Run())
        self.producing, self.proceed = asyncio.Event(), asyncio.Event()
        self.recording = asyncio.Event()
        self.done: list[object] = []
        self.handle.task = asyncio.create_task(self.run())

    async def run(self) -> None:
        try:
            with self.handle:
                self.producing.set()
                await self.proceed.wait()
                self.done.append("produced")
        except asyncio.CancelledError:
            asyncio.current_task().uncancel()
        self.recording.set()
        await asyncio.sleep(0)
        self.done.append("recorded")


async def test_it_works():
    attempt = Attempt()
    await attempt.producing.wait()
    attempt.handle.stop()
    await attempt.handle.task

    assert attempt.done == ["recorded"]
    assert attempt.handle.stopped


async def test_recording_is_never_cut():
    attempt = Attempt()
    attempt.proceed.set()
    await attempt.producing.wait()
    await attempt.recording.wait()
    attempt.handle.stop()
    await attempt.handle.task

    assert attempt.done == ["produced", "recorded"]


async def test_a_stop_before_the_beginning_is_not_forgotten():
    attempt = Attempt()
    attempt.handle.stop()
    await attempt.handle.task

    assert attempt.done == ["recorded"]
    assert not attempt.producing.is_set()


async def test_the_first_stop_counts():
    handle = RunHandle(Run())
    handle.stop(error := ClawError("key_revoked", "x"))
    handle.stop()

    assert handle.error is error
    with pytest.raises(asyncio.CancelledError), handle:
        pytest.fail("it was stopped before")
