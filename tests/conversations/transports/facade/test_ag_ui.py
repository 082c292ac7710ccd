"""`conversations.transports.facade.ag_ui`: a stream that ends when its run waits."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from conversations.transports.facade.ag_ui import AgUiEncoding, AgUiStream
from engine.events import Pending, RunWaiting
from tests.conversations.transports.doors import Doors, caller, run_of, token
from tests.engine.log.contract import DONE
from wire.encoders.ag_ui import AgUiEvents
from wire.facade.ag_ui import RunAgentInput
from wire.selection import Selection
from wire.visibility import EVERYTHING

WAITING = RunWaiting(
    pending=[Pending(kind="question", id="q1", text="Which day?")], expires_at=None, worked_ms=0
)


@pytest.fixture
async def doors() -> AsyncIterator[Doors]:
    doors = Doors()
    yield doors
    await doors.log.aclose()


def stream(doors: Doors, *, after: int = 0) -> AgUiStream:
    encoding = AgUiEncoding(
        AgUiEvents,
        Selection(EVERYTHING),
        asked=RunAgentInput(thread_id="thread-1", run_id="run-1"),
        message_id="msg_1",
        after=after,
    )
    return AgUiStream(doors, caller(), run_of(), encoding)


async def read(stream: AgUiStream) -> str:
    async with asyncio.timeout(5):
        return b"".join([chunk async for chunk in stream.chunks()]).decode()


@pytest.mark.parametrize("takes", [True, False, None], ids=["pushed", "refused", "yielded"])
async def test_it_ends_when_its_run_waits(doors: Doors, takes: bool | None) -> None:
    """Also if the connection could not take the end at once: it comes all the same."""
    writer = doors.begin(run_of())
    writer.append(token(0))
    await writer.flush()
    waiting = stream(doors)
    pushed: list[bytes] = []

    def write(pieces: list[bytes]) -> bool:
        pushed.extend(pieces if takes else ())
        return bool(takes)

    waiting.write = write if takes is not None else None
    reading = asyncio.create_task(read(waiting))
    await asyncio.sleep(0)
    writer.append(WAITING)
    await writer.flush()
    told = await reading + b"".join(pushed).decode()
    assert told.count('"type":"RUN_FINISHED"') == 1 and '"type":"interrupt"' in told
    assert told.count('"delta":"t0"') == 1
    assert len(doors.connections) == 0


async def test_what_follows_the_answer_is_another_run(doors: Doors) -> None:
    writer = doors.begin(run_of())
    for event in (token(0), WAITING, token(1), DONE):
        writer.append(event)
    await writer.flush()
    told: list[Any] = [await read(stream(doors, after=after)) for after in (0, 2)]
    assert "t0" in told[0] and "t1" not in told[0] and "interrupt" in told[0]
    assert "t0" not in told[1] and "t1" in told[1] and "interrupt" not in told[1]
