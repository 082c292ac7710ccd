"""`conversations.runs.positions`: which events of a run can still be followed."""

import pytest

from conversations.runs.positions import check_kept, check_position, is_kept
from engine.errors import ClawError
from tests.conversations.transports.doors import Doors, run_of, token
from tests.engine.log.contract import DONE


async def begun(doors: Doors, *, end: bool) -> None:
    writer = doors.begin(run_of())
    writer.append(token(0))
    if end:
        writer.append(DONE)
    await writer.flush()


async def code(awaitable) -> str:
    with pytest.raises(ClawError) as raised:
        await awaitable
    return raised.value.code


async def test_it_works():
    doors, run = Doors(), run_of()
    await begun(doors, end=True)
    assert await is_kept(doors.log, run)
    assert await check_position(doors.log, run, 2) is True
    assert await check_position(doors.log, run, 1) is False


async def test_a_run_that_goes_on_has_more_to_come():
    doors = Doors()
    await begun(doors, end=False)
    assert await check_position(doors.log, run_of(), 1) is False


async def test_a_position_beyond_the_end_is_wrong():
    doors = Doors()
    await begun(doors, end=True)
    assert await code(check_position(doors.log, run_of(), 3)) == "invalid_message"


@pytest.mark.parametrize(
    ("status", "expected"), [("completed", "history_expired"), ("running", "unavailable")]
)
async def test_without_a_log_it_has_expired_or_is_being_recovered(status, expected):
    log, run = Doors().log, run_of(status=status)
    assert not await is_kept(log, run)
    assert await code(check_kept(log, run)) == expected
    assert await code(check_position(log, run, 0)) == expected
