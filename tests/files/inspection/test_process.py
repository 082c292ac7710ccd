"""`files.inspection.process`: the same in a child process."""

import asyncio

import pytest

from engine.errors import Unavailable
from files.inspection import process
from files.inspection.process import inspected
from files.inspection.result import Refused
from tests.files.samples import bomb, image


async def test_it_works():
    assert (await inspected(image("PNG"))).media_type == "image/png"


async def test_a_bomb_is_refused():
    with pytest.raises(Refused, match="million pixels"):
        await inspected(bomb(10_000, 10_000))


async def test_what_takes_too_long_or_says_too_much_is_refused(monkeypatch):
    monkeypatch.setattr(process, "MAX_RESULT", 10)
    with pytest.raises(Refused, match="within the time"):
        await inspected(image("PNG"))
    monkeypatch.setattr(process, "SECONDS", 0.0)
    with pytest.raises(Refused, match="within the time"):
        await inspected(image("PNG"))


async def test_few_are_read_at_once(monkeypatch):
    monkeypatch.setattr(process, "MAX_AT_ONCE", 1)
    first = asyncio.create_task(inspected(image("PNG")))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await inspected(image("PNG"))
    await first
    assert (await inspected(image("PNG"))).media_type == "image/png"
