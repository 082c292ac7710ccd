"""The examples of docs/widget.md, as they stand there, on a page of a shop."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Watched
from tests.browser.site import Site
from tests.browser.widget import SETTINGS, Widget, embedding, words
from tests.documents import code, names, rows, section
from tests.live.server import Server

__all__ = ["SETTINGS"]

PAGE = "docs/widget.md"
ROOT = "http://127.0.0.1:8000"
HTML, CSS, JS, POLICY = (
    [block.text for block in code(PAGE, kind)] for kind in ("html", "css", "js", "")
)


def here(text: str, server: Server) -> str:
    """An example with this server's address, and acme's agent."""
    here = text.replace(ROOT, server.url).replace(ROOT.replace("http", "ws"), server.ws_url[:-7])
    return here.replace("my-agent", "acme-agent")


@pytest.mark.parametrize("example", HTML)
async def test_it_works(page: Page, shop: Site, server: Server, example: str) -> None:
    """Each way to put it on a page, under the policy that is documented."""
    (policy,) = POLICY
    html = f"<title>Shop</title><body>{here(example, server)}</body>"
    url = shop.page(html, "/docs", content_security_policy=here(policy.strip(), server))
    widget = await Widget.on(page, url)
    if "inline" not in example:
        await widget.open()
    await widget.ask("Hello [[upstream tokens=3]]")
    await widget.answered(words(3))


async def test_the_custom_properties(page: Page, shop: Site, server: Server) -> None:
    await Widget.on(page, shop.page(f"<style>{CSS[0]}</style>{embedding(server)}", "/css"))
    await expect(page.locator(".launcher")).to_have_css("background-color", "rgb(102, 51, 153)")
    await page.get_by_role("button", name="Open chat").click()
    await expect(page.locator(".panel")).to_have_css("width", "480px")


async def test_the_methods_and_events(page: Page, shop: Site, server: Server) -> None:
    methods, events, _ = JS
    widget = await Widget.on(page, shop.page(embedding(server), "/js"))
    await widget.open()
    await page.evaluate(f"() => {{ {events} }}")
    assert await widget.call("chat.send('my password')") is False
    await page.evaluate(f"() => {{ {methods} }}")
    await expect(widget.input).to_be_hidden()
    listed = [name for row in rows(section(PAGE, "From the page")) for name in row[0].split(", ")]
    told = set(re.findall(r'#tell\("(claw:\w+)"', (await _source(page, server))))
    assert {name.strip("`") for name in listed} == told


async def test_the_identity_is_asked_for(
    page: Page, shop: Site, server: Server, watched: Watched
) -> None:
    """A token that is none: the page's function was asked, and the visitor is told."""
    watched.connections_may_fail = True
    shop.page("no token", "/chat-token")
    await Widget.on(page, shop.page(embedding(server), "/identity"))
    await page.evaluate(f"() => {{ {JS[2]} }}")
    async with page.expect_request("**/chat-token"):
        await page.get_by_role("button", name="Open chat").click()
    await expect(page.locator(".banner")).to_contain_text("Your session could not be confirmed.")


async def test_every_option_is_one(page: Page, server: Server, shop: Site) -> None:
    documented = {name for row in rows(section(PAGE, "Options")) for name in names(row[0])}
    source = await _source(page, server)
    read = set(re.findall(r'[gh]asAttribute\("(\w+)"|getAttribute\("(\w+)"', source))
    used = {name for pair in read for name in pair if name} - {"history", "dir"}
    assert used | {"theme", "position", "target", "accent"} == documented | {"open"}


async def _source(page: Page, server: Server) -> str:
    answer = await page.request.get(f"{server.url}/static/claw/chat.js")
    return await answer.text()
