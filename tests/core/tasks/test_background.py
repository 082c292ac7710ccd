"""`core.tasks.background`: work that its owner begins and ends."""

import asyncio
import logging
from contextvars import ContextVar

import pytest

from core.tasks.background import Background, log, repeat
from engine.errors import Unavailable

MARK = ContextVar("MARK", default="none")


class Work:
    """Goes on until it is cancelled, and hears the first `deaf` cancels not."""

    def __init__(self, deaf: int = 0) -> None:
        self.begun = asyncio.Event()
        self.ended = False
        self.mark = ""
        self._deaf = deaf

    async def go_on(self) -> None:
        self.mark = MARK.get()
        self.begun.set()
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if self._deaf:
                    self._deaf -= 1
                    continue
                self.ended = True
                raise


async def test_it_works() -> None:
    background, works = Background(), [Work(), Work()]
    background.start(*(work.go_on() for work in works))
    for work in works:
        await work.begun.wait()
    assert await background.stop() is True
    assert [work.ended for work in works] == [True, True]


async def test_what_has_not_begun_is_stopped_too() -> None:
    assert await Background().stop() is True


async def test_it_inherits_nothing_of_what_started_it() -> None:
    MARK.set("a request")
    background, work = Background(), Work()
    background.start(work.go_on())
    await work.begun.wait()
    assert work.mark == "none"
    await background.stop()


async def test_its_owner_may_lose_patience_and_ask_again() -> None:
    background, work = Background(), Work(deaf=1)
    background.start(work.go_on())
    await work.begun.wait()
    assert await background.stop(0.01) is False
    assert not work.ended
    assert await background.stop(10) is True
    assert work.ended


async def test_work_that_fails_is_logged_at_once() -> None:
    heard: asyncio.Future[logging.LogRecord] = asyncio.get_running_loop().create_future()

    class Heard(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.set_result(record)

    async def fail() -> None:
        raise ZeroDivisionError

    background, handler = Background(), Heard()
    log.addHandler(handler)
    try:
        background.start(fail())
        record = await heard
    finally:
        log.removeHandler(handler)
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError
    assert await background.stop() is True


async def test_a_step_is_taken_again_at_once_while_there_is_more_and_put_off_where_it_cannot(
    caplog: pytest.LogCaptureFixture,
) -> None:
    answers: list[object] = [True, None, Unavailable("The database is away."), True, False]
    done = asyncio.Event()

    async def step() -> object:
        answer = answers.pop(0)
        if not answers:
            done.set()
            await asyncio.Event().wait()
        if isinstance(answer, Unavailable):
            raise answer
        return answer

    background = Background()
    background.start(repeat(step, 0.001, log, "it is done later"))
    async with asyncio.timeout(10):
        await done.wait()
    await background.stop()
    assert [record.message for record in caplog.records] == ["it is done later"]
