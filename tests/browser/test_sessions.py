"""Who the visitor is, and that they stay it: signed identities, renewals, tabs, and going away."""

import asyncio
import time

import pytest
from playwright.async_api import Page, Response, Route, expect

from tests.agents.signed import minted
from tests.browser import widget as visits
from tests.browser.conftest import Watched
from tests.browser.network import Network
from tests.browser.site import Site
from tests.browser.widget import Widget, embedding, words
from tests.live.server import Server
from tests.live.visiting import identity_secret

# A token that ends while the test looks on, and a connection that nobody needs.
SETTINGS = visits.SETTINGS | {"CLAW_VISITOR_TTL": "4", "CLAW_IDLE_TIMEOUT": "2"}
THREE = "[[upstream tokens=3]]"
LONG = "[[upstream tokens=120 delay=50]]"
WHO = """() => {
    const key = Object.keys(localStorage).find((name) => name.endsWith(":visitorId"));
    return JSON.parse(localStorage[key]);
}"""

# What the widget says of its connection.
HEAR = """(line) => {
    window.heard = [];
    const hear = () => line.textContent && heard.push(line.textContent);
    new MutationObserver(hear).observe(line, { childList: true });
}"""


@pytest.fixture(scope="module")
def secret(server: Server) -> str:
    """Made before the server has looked at the agent, which it remembers for a while."""
    return identity_secret(server, "acme-agent")


@pytest.fixture
def url(secret: str, shop: Site, server: Server) -> str:
    return shop.page(embedding(server))


def signed(secret: str, user: str, seconds: float = 300) -> str:
    """What the shop's own server says of who is logged in."""
    return minted(secret, user_id=user, exp=int(time.time() + seconds))


async def test_it_works_when_the_page_is_faster_than_the_widget(
    page: Page, shop: Site, server: Server, secret: str
) -> None:
    """The element is there before its module is: what was set on it then is not lost."""
    asked = f"async () => '{signed(secret, 'ada')}'"
    early = f"() => document.querySelector('claw-chat').identity = {asked}"
    script = f"<script>addEventListener('DOMContentLoaded', {early})</script>"
    widget = await Widget.on(page, shop.page(embedding(server) + script, "/early"))
    async with page.expect_response("**/api/visitor-sessions") as begun:
        await widget.open()
    assert (await (await begun.value).json())["visitorId"] == "user:ada"


async def test_a_session_outlives_the_word_that_began_it(
    page: Page, shop: Site, server: Server, secret: str
) -> None:
    """The attribute says the same as ever when the session is renewed; it has ended by then."""
    widget = await Widget.on(page, shop.page(embedding(server), "/ending"))
    # The server takes it for two more seconds: it is made when the page is there.
    async with page.expect_response("**/api/visitor-sessions") as begun:
        word = signed(secret, "ada", -3)
        await widget.call(f"{{ chat.setAttribute('identity', '{word}'); chat.open(); }}")
    assert (await begun.value).ok
    async with page.expect_response("**/api/visitor-sessions") as renewed:
        await widget.ask(LONG)
    assert (await (await renewed.value).json())["visitorId"] == "user:ada"
    await widget.answered(words(120))


async def heard_in_a_renewal(page: Page, url: str) -> list[str]:
    """What the chat says of its connection while the session is renewed in mid-answer."""
    widget = await Widget.on(page, url)
    await widget.open()
    await page.locator(".link").evaluate(HEAR)
    async with page.expect_response("**/api/visitor-sessions"):
        await widget.ask(LONG)
    await widget.answered(words(120))
    return await page.evaluate("heard")


async def test_a_renewal_in_mid_answer_is_silent(page: Page, url: str) -> None:
    assert await heard_in_a_renewal(page, url) == []


async def test_a_renewal_over_event_streams_is_silent(
    page: Page, secret: str, shop: Site, server: Server, watched: Watched
) -> None:
    """The stream ends with the token, in good order: that is no lost connection."""
    watched.connections_may_fail = True
    async with Network(server.port, websockets=False).serving() as network:
        url = shop.page(embedding(server, base=f"{network.url}/a/acme-agent"), "/streams")
        assert await heard_in_a_renewal(page, url) == []
        assert network.refused


async def test_a_connection_that_the_server_ends_as_idle_is_no_lost_one(
    page: Page, url: str
) -> None:
    widget = await Widget.on(page, url)
    await widget.open()
    await page.locator(".link").evaluate(HEAR)
    async with page.expect_websocket():
        await widget.ask(THREE)
    async with page.expect_websocket():
        await widget.answered(words(3))
    assert await page.evaluate("heard") == []


async def test_who_logs_out_takes_their_conversations_along(
    page: Page, shop: Site, server: Server, secret: str, url: str
) -> None:
    known = shop.page(embedding(server, identity=signed(secret, "bert")), "/known")
    widget = await Widget.on(page, known)
    await widget.open()
    await widget.ask(THREE)
    await widget.answered(words(3))
    await page.goto(url)
    await expect(page.locator(".greeting")).to_be_visible()
    assert (await page.evaluate(WHO)).startswith("anon:")
    await expect(widget.answers).to_have_count(0)
    async with page.expect_response("**/api/visitor-sessions") as begun:
        await page.goto(known)
        await page.get_by_role("button", name="Conversations").click()
    assert (await (await begun.value).json())["visitorId"] == "user:bert"
    await expect(page.locator(".history li:has(button)")).to_have_count(1)


async def test_another_word_begins_another_session(page: Page, secret: str, url: str) -> None:
    widget = await Widget.on(page, url)
    async with page.expect_response("**/api/visitor-sessions"):
        await widget.open()
    for name in ("ada", "bert"):
        async with page.expect_response("**/api/visitor-sessions") as begun:
            await widget.call(f"(chat.identity = '{signed(secret, name)}', 0)")
        await expect(page.locator(".greeting")).to_be_visible()
        assert (await (await begun.value).json())["visitorId"] == f"user:{name}"


async def test_a_server_in_need_does_not_make_a_stranger_of_the_visitor(
    page: Page, url: str, watched: Watched
) -> None:
    """As it answers while its database is away."""
    watched.connections_may_fail = True

    async def busy(route: Route) -> None:
        error = {"code": "unavailable", "message": "Try again soon.", "retryAfter": 3000}
        headers = {"Access-Control-Allow-Origin": "*"}
        await route.fulfill(status=503, headers=headers, json={"error": error})

    widget = await Widget.on(page, url)
    await widget.open()
    await widget.ask(THREE)
    await widget.answered(words(3))
    visitor = await page.evaluate(WHO)
    await page.route("**/api/visitor-sessions", busy, times=1)
    await page.reload()
    await expect(page.locator(".banner")).to_contain_text("Trying again in 3 seconds.")
    await widget.answered(words(3))
    await expect(page.locator(".banner")).to_be_hidden()
    assert await page.evaluate(WHO) == visitor


async def test_tabs_that_are_opened_together_are_one_visitor(page: Page, url: str) -> None:
    async def begin(tab: Page) -> Response:
        async with tab.expect_response("**/api/visitor-sessions") as begun:
            await tab.get_by_role("button", name="Open chat").click()
        return await begun.value

    tabs = [page, *[await page.context.new_page() for _ in range(2)]]
    for tab in tabs:
        await Widget.on(tab, url)
    answers = await asyncio.gather(*map(begin, tabs))
    assert len({(await answer.json())["visitorId"] for answer in answers}) == 1


async def test_what_one_tab_forgets_another_does_not_bring_back(page: Page, url: str) -> None:
    """Closed here, and something written there: it stays closed."""
    widget = await Widget.on(page, url)
    await widget.open()
    async with visits.another_tab(widget, url) as other:
        await expect(other.input).to_be_visible()
        await widget.call("chat.close()")
        await other.input.fill("A draft")
    await page.reload()
    await widget.ready()
    await expect(widget.input).to_be_hidden()
