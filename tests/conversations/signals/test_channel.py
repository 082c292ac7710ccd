"""`conversations.signals.channel`: short messages to the processes of a group."""

import asyncio
from typing import Any

import pytest

from conversations.signals.channel import Signals

SOON = 5.0  # seconds


def heard(signals: Signals, kind: str) -> asyncio.Queue[dict[str, Any]]:
    queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    signals.handle(kind, queue.put_nowait)
    return queue


async def test_it_works(signals: Signals) -> None:
    queue = heard(signals, "test")
    await signals.join("group")
    await signals.send("group", "test", number=1)
    message = await asyncio.wait_for(queue.get(), SOON)
    assert (message["type"], message["number"]) == ("test", 1)


async def test_who_has_left_hears_nothing_more(signals: Signals) -> None:
    queue = heard(signals, "test")
    await signals.join("left")
    await signals.join("group")
    await signals.leave("left")
    await signals.send("left", "test", number=1)
    await signals.send("group", "test", number=2)
    assert (await asyncio.wait_for(queue.get(), SOON))["number"] == 2


async def test_a_layer_that_fails_harms_nobody(
    signals: Signals, caplog: pytest.LogCaptureFixture
) -> None:
    await signals.send("no group of this name!", "test")  # the layer refuses it
    assert "signals are lost" in caplog.text
