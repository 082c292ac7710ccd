"""The widget under a finger: small screens, a keyboard on the screen, links, and lines."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import Shoot, Watched
from tests.browser.site import Site
from tests.browser.test_accessibility import violations
from tests.browser.widget import SETTINGS, Widget, embedding
from tests.live.server import Server

__all__ = ["SETTINGS"]

PHONES = [(360, 640), (390, 844), (640, 360)]
# As an iPhone tells of its keyboard, which covers the page without making it smaller.
KEYBOARD = """(height) => {
    Object.defineProperty(visualViewport, "height", { value: height, configurable: true });
    visualViewport.dispatchEvent(new Event("resize"));
}"""
VIEWPORT = '<meta name="viewport" content="width=device-width, initial-scale=1">'
LONG_PAGE = '<p style="height: 3000px">Shoes</p>'


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser, watched: Watched) -> AsyncIterator[BrowserContext]:
    """A phone."""
    width, height = PHONES[0]
    viewport = {"width": width, "height": height}
    context = await browser.new_context(viewport=viewport, has_touch=True, is_mobile=True)  # type: ignore[arg-type]
    context.set_default_timeout(30_000)
    watched.watch(context)
    yield context
    await context.close()
    assert watched.complaints == []


@pytest_asyncio.fixture(loop_scope="session")
async def widget(page: Page, shop: Site, server: Server) -> Widget:
    """The widget on a page that scrolls, closed."""
    return await Widget.on(page, shop.page(VIEWPORT + LONG_PAGE + embedding(server, "demo")))


async def tap(widget: Widget, name: str) -> None:
    await widget.page.get_by_role("button", name=name, exact=True).last.tap()


async def test_it_works(page: Page, widget: Widget, shoot: Shoot) -> None:
    """A dialog over a page that is inert and stands still; no keyboard comes up unasked."""
    await tap(widget, "Open chat")
    panel = page.get_by_role("dialog", name="demo")
    await expect(panel).to_be_visible()
    assert await panel.evaluate("(panel) => panel.matches(':modal')")
    await expect(widget.input).not_to_be_focused()
    await expect(page.locator("html")).to_have_css("overflow", "hidden")
    await expect(page.get_by_text("Shoes")).to_be_visible()
    await expect(widget.input).to_have_css("font-size", "16px")
    assert await violations(page) == []
    for width, height in PHONES:
        await page.set_viewport_size({"width": width, "height": height})
        await expect(panel).to_have_css("height", f"{height}px")
        assert await panel.bounding_box() == {"x": 0, "y": 0, "width": width, "height": height}
        for part in (widget.input, page.get_by_role("button", name="Close chat").last):
            await expect(part).to_be_in_viewport(ratio=1)
        await shoot(f"phone-{width}")
    await tap(widget, "Close chat")
    await expect(panel).to_be_hidden()
    await expect(page.locator("html")).to_have_css("overflow", "visible")


async def test_a_keyboard_on_the_screen_covers_nothing(
    page: Page, widget: Widget, shoot: Shoot
) -> None:
    await tap(widget, "Open chat")
    await expect(page.locator(".greeting")).to_be_visible()
    await widget.input.tap()
    await page.evaluate(KEYBOARD, 300)
    await expect(page.locator(".panel")).to_have_css("height", "300px")
    box = await widget.input.bounding_box()
    assert box is not None and box["y"] + box["height"] <= 300
    await expect(page.locator(".greeting")).to_be_in_viewport(ratio=1)
    await shoot("phone-keyboard")


async def test_a_line_is_broken_by_touch_and_a_message_sent_by_its_button(
    page: Page, widget: Widget
) -> None:
    await tap(widget, "Open chat")
    await widget.input.tap()
    await page.keyboard.type("/echo One")
    await page.keyboard.press("Enter")
    await page.keyboard.type("Two")
    await tap(widget, "Send")
    await expect(widget.input).to_be_focused()  # or the keyboard would go
    await expect(widget.questions.locator(".body")).to_have_text("/echo One\nTwo")
    await widget.settled()


async def test_a_link_to_the_same_site_shows_the_page(
    page: Page, widget: Widget, shop: Site, server: Server
) -> None:
    """In this tab, and with the chat out of its way, also where it leads to a place on the page."""
    shop.page(VIEWPORT + embedding(server, "demo"), "/shoes")
    await tap(widget, "Open chat")
    await widget.call(
        "chat.send('/echo Look at [boots](#boots), [shoes](/shoes), [more](https://example.com/)')"
    )
    answer = await widget.answered("Look at boots, shoes, more")
    await expect(answer.get_by_role("link", name="more")).to_have_attribute("target", "_blank")
    await answer.get_by_role("link", name="boots").tap()
    await expect(widget.input).to_be_hidden()
    assert page.url.endswith("#boots")
    await tap(widget, "Open chat")
    await answer.get_by_role("link", name="shoes").tap()
    await page.wait_for_url("**/shoes")
    await widget.ready()
    await expect(widget.input).to_be_hidden()
    assert len(page.context.pages) == 1
    await tap(widget, "Open chat")
    answer = await widget.answered("Look at boots, shoes, more")
    await expect(answer).to_be_in_viewport(ratio=1)


async def test_the_page_is_free_again_however_the_chat_goes(page: Page, widget: Widget) -> None:
    """By the device's own way back, or with its element, as where a router swaps the body."""
    html = page.locator("html")
    await page.add_style_tag(content="html { overflow: auto !important }")
    await tap(widget, "Open chat")
    await expect(html).to_have_css("overflow", "hidden")
    await page.locator(".panel").evaluate("(panel) => panel.requestClose()")
    await expect(widget.input).to_be_hidden()
    await expect(html).to_have_css("overflow", "auto")
    await tap(widget, "Open chat")
    await widget.call("{ chat.remove(); window.chat = chat; }")
    await expect(html).to_have_css("overflow", "auto")
    await page.evaluate("document.body.append(chat)")
    await widget.ready()
    await expect(widget.input).to_be_hidden()
    await tap(widget, "Open chat")
    await expect(widget.input).to_be_visible()
