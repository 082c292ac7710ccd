"""What a visitor can do with the widget on somebody else's site, over a real server."""

import asyncio
import re

import pytest
import pytest_asyncio
from playwright.async_api import Page, Route, expect

from tests.browser.conftest import Watched
from tests.browser.payloads import MARK, PAYLOADS
from tests.browser.site import Site
from tests.browser.widget import SETTINGS, Widget, another_tab, embedding, policy, words
from tests.live.server import Server

__all__ = ["SETTINGS"]

THREE = "[[upstream tokens=3]]"
STALLING = "Go [[upstream tokens=40 mode=stall at=5]]"


@pytest.fixture
def url(shop: Site, server: Server) -> str:
    """A page of the shop with the strictest policy under which the widget has to work."""
    return shop.page(embedding(server), content_security_policy=policy(server))


@pytest_asyncio.fixture(loop_scope="session")
async def widget(page: Page, url: str) -> Widget:
    """The widget, opened."""
    widget = await Widget.on(page, url)
    await widget.open()
    return widget


async def test_it_works(page: Page, widget: Widget) -> None:
    await expect(page.locator(".greeting")).to_have_text("Welcome to the shop")
    await widget.ask("Hello [[upstream tokens=20]]")
    await widget.answered(words(20))
    assert await widget.call("chat.messages.length") == 2
    await expect(page.locator(".greeting")).to_be_hidden()


async def test_a_suggestion_is_sent_with_one_click(page: Page, widget: Widget) -> None:
    await page.get_by_role("button", name="What can you do?").click()
    await expect(widget.questions).to_have_text(["You:What can you do?"])
    await widget.answered(words(20))


async def test_stop_by_button_and_by_escape(page: Page, widget: Widget) -> None:
    for number, stop in enumerate(("button", "Escape"), 1):
        await widget.ask(STALLING)
        await expect(widget.answers).to_have_count(number)
        await expect(widget.answers.last.locator(".body")).to_have_text(words(5))
        if stop == "button":
            await page.get_by_role("button", name="Stop").click()
        else:
            await widget.input.press("Escape")
        await widget.settled()
        await expect(widget.answers.last.locator(".problem")).to_have_text("Stopped.")
    await expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()


async def test_a_failed_answer_is_asked_for_again(page: Page, widget: Widget) -> None:
    await widget.ask("Go [[upstream mode=error at=3 tag=again]]")
    problem = widget.answers.locator(".problem")
    await expect(problem).to_contain_text("The assistant is very busy right now.", timeout=20_000)
    await problem.get_by_role("button", name="Try again").click()
    await widget.settled()
    await expect(widget.questions).to_have_count(1)
    await expect(widget.answers).to_have_count(1)


async def test_a_draft_survives_a_reload(page: Page, widget: Widget) -> None:
    await widget.input.fill("Half a thought")
    await page.reload()
    await expect(widget.input).to_have_value("Half a thought")
    await widget.ask(f"Whole {THREE}")
    await widget.answered(words(3))
    await page.reload()
    await widget.answered(words(3))
    await expect(widget.input).to_have_value("")


async def test_enter_sends_and_shift_enter_breaks_the_line(widget: Widget) -> None:
    await widget.input.fill("One")
    await widget.input.press("Shift+Enter")
    await widget.input.type(f"Two {THREE}")
    await widget.input.press("Enter")
    await widget.answered(words(3))
    await expect(widget.questions.locator(".body")).to_have_text(f"One\nTwo {THREE}")


async def test_conversations_are_found_again_renamed_and_deleted(
    page: Page, widget: Widget
) -> None:
    await widget.ask(f"About shoes {THREE}")
    await widget.answered(words(3))
    await page.get_by_role("button", name="New conversation").click()
    await expect(page.locator(".greeting")).to_be_visible()
    await widget.ask("About hats [[upstream tokens=4]]")
    await widget.answered(words(4))

    await page.get_by_role("button", name="Conversations").click()
    rows = page.locator(".history li:has(button)")
    await expect(rows).to_have_count(2)
    await expect(page.locator(".history h3")).to_have_text(["today"])
    search = page.get_by_role("searchbox")
    await search.fill("SHOES")
    await expect(rows).to_have_count(1)
    await search.fill("trousers")
    await expect(page.locator(".history")).to_contain_text("No conversation is called so.")
    await search.fill("")
    shoes = rows.filter(has_text="About shoes")
    await shoes.get_by_role("button", name="Rename").click()
    await shoes.get_by_role("textbox").fill("Boots")
    await shoes.get_by_role("button", name="Save").click()
    boots = rows.filter(has_text="Boots")
    await boots.locator('[data-action="show"]').click()
    await widget.answered(words(3))

    await page.get_by_role("button", name="Conversations").click()
    await boots.get_by_role("button", name="Delete").click()
    await expect(boots).to_contain_text("Delete “Boots”? This cannot be undone.")
    await boots.locator("form").get_by_role("button", name="Delete").click()
    await expect(rows).to_have_count(1)
    await page.get_by_role("button", name="Close conversations").click()
    await expect(page.locator(".greeting")).to_be_visible()


async def test_a_closed_chat_stays_closed_and_an_open_one_opens_again(
    page: Page, widget: Widget
) -> None:
    await page.reload()
    await expect(widget.input).to_be_visible()
    await page.get_by_role("button", name="Close chat").last.click()
    await expect(widget.input).to_be_hidden()
    await page.reload()
    await widget.ready()
    await expect(widget.input).to_be_hidden()


@pytest.mark.parametrize("part", range(4))
async def test_p35_no_payload_does_anything(page: Page, widget: Widget, part: int) -> None:
    """Through the visitor's text and, by the demo agent, through the model's."""
    await page.evaluate("document.querySelector('claw-chat').setAttribute('agent', 'demo')")
    await expect(page.locator(".title")).to_have_text("demo")
    payloads = [payload.replace("\n", " ") for payload in PAYLOADS[part::4]]
    for number, payload in enumerate(payloads, 1):
        await widget.ask(f"/echo {payload}")
        await expect(widget.answers).to_have_count(number)
        await widget.settled()
    assert not await page.evaluate(f"'{MARK}' in window")
    assert (
        await page.locator("claw-chat :is(img, script, iframe, form.x, style, base)").count() == 0
    )
    for href in await page.locator(".body a[href]").evaluate_all("(all) => all.map((a) => a.href)"):
        assert href.startswith(("http:", "https:", "mailto:"))


async def test_the_page_may_say_no(page: Page, widget: Widget) -> None:
    """The `claw:*` events, and the methods."""
    await widget.call(
        """{
            window.seen = [];
            for (const type of ["open", "close", "send", "message", "event", "feedback", "link"])
                document.addEventListener(`claw:${type}`, (event) => {
                    seen.push(type);
                    if (window.refused === type) event.preventDefault();
                });
            window.refused = "send";
        }"""
    )
    await widget.ask("Nobody hears this")
    await expect(widget.input).to_have_value("Nobody hears this")
    assert await widget.call("chat.send('Nor this')") is False
    await widget.call("window.refused = 'close'")
    await widget.call("chat.close()")
    await expect(widget.input).to_be_visible()
    await widget.call("window.refused = ''")
    assert await widget.call(f"chat.send('Hello {THREE}')") is True
    await widget.answered(words(3))
    assert await widget.call("chat.messages.map(({ role }) => role)") == ["user", "assistant"]
    await widget.call("chat.newConversation()")
    await expect(page.locator(".greeting")).to_be_visible()
    await widget.call("chat.close()")
    await expect(widget.input).to_be_hidden()
    await widget.call("chat.open()")
    await expect(widget.input).to_be_visible()
    seen = await page.evaluate("seen.filter((type) => type !== 'event')")
    assert seen == ["send", "send", "close", "send", "message", "close", "open"]
    assert "event" in await page.evaluate("seen")


async def test_attributes_may_change_at_any_time(page: Page, shop: Site, server: Server) -> None:
    widget = await Widget.on(page, shop.page(embedding(server), "/changing"))
    await widget.call("chat.setAttribute('open', '')")
    await expect(page.locator(".greeting")).to_have_text("Welcome to the shop")
    await widget.call("chat.setAttribute('greeting', 'Look around')")
    await expect(page.locator(".greeting")).to_have_text("Look around")
    await widget.call("chat.setAttribute('name', 'Helper')")
    await expect(page.get_by_role("heading", name="Helper")).to_be_visible()
    await widget.call("chat.setAttribute('locale', 'es')")
    await expect(page.get_by_role("textbox", name="Mensaje")).to_be_visible()
    await widget.call("chat.removeAttribute('open')")
    await expect(page.get_by_role("button", name="Abrir el chat")).to_be_visible()
    await widget.call("chat.setAttribute('mode', 'inline')")
    await expect(page.locator(".greeting")).to_be_visible()


async def test_a_hostile_page_gets_nothing(
    page: Page, site: Site, shop: Site, server: Server, watched: Watched
) -> None:
    """P26: an origin that the agent does not allow. Its visitors see no button, or a sentence where
    the chat stands in the page, and its owner reads in the console what to do."""
    watched.connections_may_fail = True
    async with page.expect_console_message(lambda said: "Clawsite" in said.text) as said:
        await page.goto(site.page(embedding(server)))
    advice = (await said.value).text
    assert f"{server.url}/a/acme-agent has no chat for {site.url}" in advice
    await expect(page.locator(".launcher")).to_have_count(0)
    await page.goto(site.page(embedding(server, mode="inline"), "/inline"))
    await expect(page.locator(".banner")).to_contain_text(
        "This chat is not available on this page."
    )
    assert "token" not in await page.evaluate("JSON.stringify(localStorage)")
    watched.complaints[:] = [each for each in watched.complaints if advice not in each]


async def test_two_agents_on_one_site_do_not_meet(
    page: Page, shop: Site, server: Server, url: str
) -> None:
    widget = await Widget.on(page, url)
    await widget.open()
    await widget.ask(THREE)
    await widget.answered(words(3))
    async with another_tab(widget, shop.page(embedding(server, "demo"), "/other")) as other:
        await other.open()
        await expect(other.answers).to_have_count(0)


async def test_a_long_conversation_shows_its_end_and_more_on_demand(
    page: Page, shop: Site, server: Server
) -> None:
    widget = await Widget.on(page, shop.page(embedding(server, "demo"), "/long"))
    await widget.open()
    for number in range(1, 28):
        await widget.call(f"chat.send('/echo Answer {number}.')")
        await widget.answered(f"Answer {number}.", count=number)
    await page.reload()
    await expect(widget.answers).to_have_count(25)
    await widget.answered("Answer 27.", count=25)
    first = widget.answers.first.locator(".body")
    await first.evaluate("(e) => e.scrollIntoView()")
    await first.evaluate("(e) => { window.seen = e }")
    older = page.get_by_role("button", name="Earlier messages")
    await older.focus()
    at = await page.evaluate("seen.getBoundingClientRect().top")
    await older.press("Enter")
    await expect(widget.answers).to_have_count(27)
    await expect(widget.answers.first.locator(".body")).to_have_text("Answer 1.")
    assert abs(await page.evaluate("seen.getBoundingClientRect().top") - at) <= 2
    await expect(page.get_by_role("button", name="Earlier messages")).to_be_hidden()


async def test_a_link_in_an_answer_can_be_taken_over(
    page: Page, shop: Site, server: Server
) -> None:
    widget = await Widget.on(page, shop.page(embedding(server, "demo"), "/links"))
    await widget.open()
    await widget.ask("/echo Look at [shoes](/shoes)")
    answer = await widget.answered("Look at shoes")
    await page.evaluate(
        """document.addEventListener("claw:link", (event) => {
            event.preventDefault();
            window.followed = event.detail.url;
        })"""
    )
    await answer.get_by_role("link", name="shoes").click()
    assert await page.evaluate("followed") == f"{shop.url}/shoes"
    assert len(page.context.pages) == 1


async def test_who_is_faster_than_the_connection_has_sent_all_the_same(
    page: Page, shop: Site, server: Server
) -> None:
    written = asyncio.Event()

    async def later(route: Route) -> None:
        await written.wait()
        await route.continue_()

    await page.route("**/api/visitor-sessions", later)
    widget = await Widget.on(page, shop.page(embedding(server, mode="inline"), "/fast"))
    await widget.ask(THREE)
    await expect(widget.questions).to_have_class(re.compile("sending"))
    await expect(page.get_by_role("img", name="Working on an answer")).to_be_visible()
    written.set()
    await widget.answered(words(3))
    await expect(widget.input).to_have_value("")
