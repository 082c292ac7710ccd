"""`engine.tools.builtin.fetch_page`: what a model is told of a page."""

from ipaddress import ip_network
from typing import Any

import pytest

from engine.http.guard import Guard
from engine.tools.base import ToolContext
from engine.tools.builtin.base import ToolFailed
from engine.tools.builtin.fetch_page import MAX_TEXT, Arguments, tool
from tests.engine.http.servers import serving
from tests.engine.http.test_page import answering, ok

CONTEXT = ToolContext(run_id="run_1", timeout=5, emit=lambda event: None)
HERE = Guard([ip_network("127.0.0.0/8")])


async def read_html(content: bytes) -> str:
    return f"read {content.decode()}"


async def fetched(answer: bytes) -> Any:
    async with serving(answering(answer)) as server:
        url = f" http://127.0.0.1:{server.port}/ "
        told = await tool(HERE, read_html).run(Arguments(url), CONTEXT)
        assert told["url"] == url.strip()
    return told["text"], told["truncated"]


async def test_it_works() -> None:
    assert await fetched(ok(b"<p>Hi", "text/html; charset=utf-8")) == ("read <p>Hi", False)
    text, _ = await fetched(ok(b"Hi\0 \xff"))
    assert text.startswith("Hi") and "\0" not in text
    assert await fetched(ok(b'{"a":1}', "application/json")) == ('{"a":1}', False)


async def test_a_long_text_is_cut() -> None:
    text, truncated = await fetched(ok(b"x" * (MAX_TEXT + 1)))
    assert (len(text), truncated) == (MAX_TEXT, True)


@pytest.mark.parametrize("kind", ["image/png", "application/octet-stream", ""])
async def test_what_is_no_text_is_said(kind: str) -> None:
    with pytest.raises(ToolFailed, match="no text"):
        await fetched(ok(b"x", kind))


async def test_p28_an_address_that_is_refused_is_not_explained() -> None:
    with pytest.raises(ToolFailed) as raised:
        await tool(Guard(), read_html).run(Arguments("http://127.0.0.1/"), CONTEXT)
    assert "127" not in str(raised.value)
