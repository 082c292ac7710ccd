"""F5: an answer goes on whatever happens to the page, the server and what lies between."""

import pytest
from playwright.async_api import Page, expect

from conversations.execution.runner import GOES_ON
from tests.browser.conftest import Watched
from tests.browser.network import Network
from tests.browser.site import Site
from tests.browser.widget import SETTINGS, Widget, another_tab, embedding, words
from tests.live.server import Server
from tests.live.visiting import open_to_visitors
from tests.upstream.process import UpstreamProcess

__all__ = ["SETTINGS"]

LONG = "Go [[upstream tokens=120 delay=25]]"
WHOLE = words(120)


@pytest.fixture
def url(shop: Site, server: Server) -> str:
    return shop.page(embedding(server))


async def in_mid_answer(page: Page, url: str, question: str = LONG) -> Widget:
    """A visitor who has read the first words of a long answer."""
    widget = await Widget.on(page, url)
    await widget.open()
    await widget.ask(question)
    await expect(widget.answers.last).to_contain_text("w5 ", timeout=20_000)
    return widget


async def test_it_works_across_a_reload(page: Page, url: str) -> None:
    widget = await in_mid_answer(page, url)
    await page.reload()
    await widget.answered(WHOLE)
    await expect(widget.questions).to_have_count(1)


async def test_it_works_across_a_navigation(
    page: Page, url: str, shop: Site, server: Server
) -> None:
    """F5: the visitor goes to another page of the site while the answer is coming."""
    widget = await in_mid_answer(page, url)
    await page.goto(shop.page(embedding(server), "/basket"))
    await widget.answered(WHOLE)
    await widget.ask("And then [[upstream tokens=3]]")
    await widget.answered(words(3), count=2)


async def test_tabs_are_in_step(page: Page, url: str) -> None:
    widget = await in_mid_answer(page, url)
    async with another_tab(widget, url) as other:
        await other.answered(WHOLE)
        await widget.answered(WHOLE)
        await other.ask("From here [[upstream tokens=3]]")
        await widget.answered(words(3), count=2)
        await other.answered(words(3), count=2)


async def test_a_tab_without_a_conversation_joins_that_of_the_other(page: Page, url: str) -> None:
    widget = await Widget.on(page, url)
    await widget.open()
    async with another_tab(widget, url) as other:
        await expect(other.page.locator(".greeting")).to_be_visible()
        await widget.ask("Hello [[upstream tokens=3]]")
        await widget.answered(words(3))
        await other.answered(words(3))


async def test_a_lost_network_comes_back(
    page: Page, shop: Site, server: Server, watched: Watched
) -> None:
    watched.connections_may_fail = True
    async with Network(server.port).serving() as network:
        url = shop.page(embedding(server, base=f"{network.url}/a/acme-agent"), "/far")
        widget = await in_mid_answer(page, url)
        await network.cut()
        await expect(page.locator(".link")).to_have_text("Connection lost. Reconnecting…")
        await widget.ask("Meanwhile")  # an answer is coming: nothing is sent, nothing is lost
        await expect(widget.input).to_have_value("Meanwhile")
        network.mend()
        await widget.answered(WHOLE)
        await expect(page.locator(".link")).to_have_text("")


async def test_a_laptop_sleeps(page: Page, shop: Site, server: Server, watched: Watched) -> None:
    """Its script is held while the clock goes on, and its connection is dead when it wakes, without
    a word of that: the answer, which has ended meanwhile, is there long before silence would be
    taken for a loss."""
    watched.connections_may_fail = True
    async with Network(server.port).serving() as network:
        url = shop.page(embedding(server, base=f"{network.url}/a/acme-agent"), "/asleep")
        widget = await in_mid_answer(page, url, "Go [[upstream tokens=120 delay=80]]")
        devtools = await page.context.new_cdp_session(page)
        await devtools.send("Debugger.enable")
        await devtools.send("Debugger.pause")
        network.hang()
        async with another_tab(widget, url) as other:
            await other.answered(WHOLE)
        await devtools.send("Debugger.disable")
        await widget.answered(WHOLE)
        await expect(widget.questions).to_have_count(1)


async def test_a_proxy_without_websockets_gets_event_streams(
    page: Page, shop: Site, server: Server, watched: Watched
) -> None:
    watched.connections_may_fail = True
    async with Network(server.port, websockets=False).serving() as network:
        url = shop.page(embedding(server, base=f"{network.url}/a/acme-agent"), "/behind")
        widget = await in_mid_answer(page, url)
        await page.reload()
        await widget.answered(WHOLE)
        assert network.refused


async def test_a_killed_server_keeps_what_was_seen(
    page: Page, url: str, server: Server, watched: Watched
) -> None:
    """What was read stays; a sentence says what happened, and “Try again” gives the whole."""
    watched.connections_may_fail = True
    widget = await in_mid_answer(page, url)
    server.kill()
    seen = (await widget.answers.last.locator(".body").inner_text()).strip()
    server.start()
    await widget.settled()
    body = (await widget.answers.last.locator(".body").inner_text()).strip()
    assert body.startswith(seen)
    if body != WHOLE:
        await expect(widget.answers.last).to_contain_text("The answer was interrupted.")
        await widget.answers.last.get_by_role("button", name="Try again").click()
        await widget.answered(WHOLE)
    await expect(widget.questions).to_have_count(1)


async def test_what_the_agent_was_doing_survives_a_reload(
    page: Page, url: str, server: Server, upstream: UpstreamProcess, watched: Watched
) -> None:
    """Said when another server goes on with the answer, for which the model lets it wait."""
    watched.connections_may_fail = True
    open_to_visitors(server, "acme-agent", onCrash="continue")
    widget = await in_mid_answer(page, url, "Go [[upstream tokens=1000 delay=50]]")
    server.kill()
    with upstream.held():
        server.start()
        doing = widget.answers.last.locator(".steps li")
        await expect(doing).to_have_text(GOES_ON, timeout=20_000)
        await page.reload()
        await expect(doing).to_have_text(GOES_ON, timeout=20_000)
        await expect(widget.log).to_have_attribute("aria-busy", "true")
        await page.get_by_role("button", name="Stop").click()
        await widget.settled()
    open_to_visitors(server, "acme-agent", onCrash="fail")


async def test_a_stopped_server_ends_nothing(
    page: Page, url: str, server: Server, watched: Watched
) -> None:
    """An orderly restart lets the answer end, and the widget comes back for it."""
    watched.connections_may_fail = True
    widget = await in_mid_answer(page, url)
    server.stop()
    server.start()
    await widget.answered(WHOLE)
