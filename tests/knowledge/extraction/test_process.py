"""`knowledge.extraction.process`, with real child processes."""

import asyncio
import os
from pathlib import Path

import pytest

from knowledge.extraction import process
from knowledge.extraction.block import NotReadable
from knowledge.extraction.process import extract
from tests.knowledge.extraction import files


async def test_it_works():
    found = await extract("pdf", files.pdf("Refunds take five days."))
    (passage,) = found.passages
    assert (passage.text, passage.page) == ("Refunds take five days.", 1)
    assert (await extract("html", b"<title>T</title><p>x")).title == "T"


@pytest.mark.parametrize("content", [files.pdf("", ""), b""])
async def test_b4_a_scan_has_no_text(content):
    with pytest.raises(NotReadable, match="no text"):
        await extract("pdf" if content else "text", content)


async def test_b4_a_zip_bomb_is_refused():
    with pytest.raises(NotReadable, match="too large"):
        await extract("docx", files.zip_bomb())


async def test_b4_too_much_text_is_refused():
    with pytest.raises(NotReadable, match="more than"):
        await extract("text", b"word " * 2_000_000)


async def test_b4_a_child_that_takes_too_long_is_killed(monkeypatch):
    monkeypatch.setattr(process, "SECONDS", 0.01)
    with pytest.raises(NotReadable, match="within the time"):
        await extract("pdf", files.pdf("x"))


async def test_a_cancel_ends_the_child():
    others = _children()  # of tests before: they may have services that stay
    task = asyncio.create_task(extract("text", b"x"))
    async with asyncio.timeout(10):
        while not (children := _children() - others):  # noqa: ASYNC110 - nothing announces it
            await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(10):
        while children & _children():  # noqa: ASYNC110 - as above
            await asyncio.sleep(0)


def _children() -> set[str]:
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())
