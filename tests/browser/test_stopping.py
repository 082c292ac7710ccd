"""P10: a stop reaches the server, whatever becomes of the page right after it."""

import time
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import pytest
from playwright.async_api import Page, expect

from tests.browser.site import Site
from tests.browser.widget import SETTINGS, Widget, embedding
from tests.live.raw import aborted, new_tag
from tests.live.server import Server
from tests.upstream.process import UpstreamProcess

__all__ = ["SETTINGS"]

MAX_SECONDS = 2.0
"""From a click to the end of the call to the model server."""
Leave: TypeAlias = Callable[[Page, str], Awaitable[object]]

CLIENT = """async ([server, transport, question, away]) => {
  const { ClawClient } = await import("/static/claw/client.js");
  const url = `${server}/a/acme-agent`;
  const { token } = await (await fetch(`${url}/api/visitor-sessions`, { method: "POST" })).json();
  const client = new ClawClient({ url, token, transport });
  const controller = new AbortController();
  try {
    for await (const event of client.chat.stream(question, { signal: controller.signal })) {
      if (event.type !== "token") continue;
      controller.abort();
      client.close();
      if (away) setTimeout(() => location.assign(away));
    }
  } catch (error) {
    return [error.name, Date.now() / 1000];
  }
}"""


def endless(tag: str) -> str:
    """A question whose answer takes a minute."""
    return f"Go [[upstream tag={tag} tokens=2000 delay=30]]"


@pytest.fixture
def away(site: Site) -> str:
    """A page of another site, without the widget."""
    return site.page("<body>Elsewhere</body>")


async def navigate(page: Page, away: str) -> None:
    """Leave for another page, and arrive: a context that closes on the way can hang."""
    await page.evaluate("(to) => location.assign(to)", away)
    await page.wait_for_url(away)


async def close(page: Page, _: str) -> None:
    """Close the tab, as its reader does."""
    async with page.expect_event("close"):
        await page.close(run_before_unload=True)


LEAVING: dict[str, Leave] = {"navigates": navigate, "closes": close}


@pytest.mark.parametrize("leave", LEAVING.values(), ids=LEAVING)
async def test_p10_the_widget_stops_and_the_page_is_left(
    page: Page, shop: Site, server: Server, upstream: UpstreamProcess, away: str, leave: Leave
) -> None:
    tag = new_tag()
    widget = await Widget.on(page, shop.page(embedding(server)))
    await widget.open()
    await widget.ask(endless(tag))
    await expect(widget.answers.last).to_contain_text("w2 ", timeout=20_000)
    clicked = time.time()
    await page.get_by_role("button", name="Stop").evaluate("(button) => button.click()")
    await leave(page, away)
    assert await aborted(upstream, tag) - clicked < MAX_SECONDS


@pytest.mark.parametrize("leaves", [False, True], ids=["stays", "leaves"])
@pytest.mark.parametrize("transport", ["websocket", "sse"])
async def test_p10_a_client_in_a_page_aborts_and_closes(
    page: Page,
    shop: Site,
    server: Server,
    upstream: UpstreamProcess,
    away: str,
    transport: str,
    leaves: bool,
) -> None:
    tag = new_tag()
    await page.goto(shop.page("<body></body>", "/bare"))
    asked = [server.url, transport, endless(tag), away if leaves else None]
    name, said = await page.evaluate(CLIENT, asked)
    assert name == "AbortError"
    if leaves:
        await page.wait_for_url(away)
    assert await aborted(upstream, tag) - said < MAX_SECONDS
