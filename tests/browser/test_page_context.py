"""What the agent is told of the page that a message is written on, and how the page shows answers
in its own way."""

from typing import Any

from playwright.async_api import Page, expect

from tests.browser.site import Site
from tests.browser.widget import SETTINGS, Widget, another_tab, embedding
from tests.live.server import Server

__all__ = ["SETTINGS"]

# Selecting a paragraph by three clicks takes its line end along; the chat sends one line.
QUOTED = "Boots of four seasons"


def shop_page(shop: Site, server: Server, **data: str) -> str:
    page = embedding(server, "demo", **data).replace("<h1>Shop</h1>", f"<p id=text>{QUOTED}</p>")
    return shop.page(page)


async def context_of(widget: Widget) -> Any:
    return await widget.call("chat.messages.find(({ role }) => role === 'user').context")


async def test_it_works(page: Page, shop: Site, server: Server) -> None:
    """Title, address, what is selected and the page's own data; there after a reload, too."""
    url = shop_page(shop, server, **{"page-context": "", "page-data": "{&quot;sku&quot;:4}"})
    widget = await Widget.on(page, f"{url}?q=1#part")
    await page.locator("#text").click(click_count=3)
    await widget.open()
    await widget.input.click()
    await widget.ask("/echo Hello")
    await widget.answered("Hello")
    told = {"title": "Shop", "url": f"{url}?q=1", "selection": QUOTED, "data": {"sku": 4}}
    assert await context_of(widget) == told
    await page.reload()
    await widget.ready()
    card = page.locator(".message.user .card.page")
    await expect(card.locator("summary")).to_have_text("PageShop")
    await card.locator("summary").click()
    await expect(card).to_contain_text(QUOTED)
    await expect(card).to_contain_text('"sku": 4')
    assert await context_of(widget) == told


async def test_other_tabs_show_it_at_once(page: Page, shop: Site, server: Server) -> None:
    url = shop_page(shop, server, **{"page-context": ""})
    widget = await Widget.on(page, url)
    await widget.open()
    await widget.ask("/echo Hello")
    await widget.answered("Hello")
    async with another_tab(widget, url) as other:
        await other.answered("Hello")
        await page.evaluate("document.title = 'Boots'")
        await widget.ask("/echo These")
        await expect(other.page.locator(".card.page summary")).to_have_text(
            ["PageShop", "PageBoots"]
        )


async def test_nothing_is_told_that_was_not_asked_for(
    page: Page, shop: Site, server: Server
) -> None:
    widget = await Widget.on(page, shop_page(shop, server))
    await widget.open()
    await widget.ask("/echo Hello")
    await widget.answered("Hello")
    assert await context_of(widget) is None
    await widget.call("chat.settings = { pageContext: ['title'] }")
    await widget.ready()
    await widget.ask("/echo Again")
    await widget.answered("Again", 2)
    last = "chat.messages.findLast(({ role }) => role === 'user').context"
    assert await widget.call(last) == {"title": "Shop"}


async def test_the_page_is_asked_for_its_data_with_each_message(
    page: Page, shop: Site, server: Server
) -> None:
    """What is none, or too much, is left out: the message is sent."""
    widget = await Widget.on(page, shop_page(shop, server))
    await page.evaluate("document.title = '\\ud83d\\ude00'.repeat(200) + 'x'")
    await widget.call(
        """{
            window.given = [{ n: 1 }, { n: 2 }, undefined];
            chat.settings = { pageContext: ["title"], pageData: () => given.shift() };
        }"""
    )
    await widget.ready()
    await widget.open()
    for number, count in enumerate([{"n": 1}, {"n": 2}, None], 1):
        await widget.ask(f"/echo {number}")
        await widget.answered(str(number), number)
        last = "chat.messages.findLast(({ role }) => role === 'user').context"
        context = await widget.call(last)
        assert context.get("data") == count
        assert context["title"] == "😀" * 150


async def test_an_edited_question_keeps_its_page_when_it_is_asked_again(
    page: Page, shop: Site, server: Server
) -> None:
    url = shop_page(shop, server, **{"page-data": "{&quot;sku&quot;:4}"})
    widget = await Widget.on(page, url)
    await widget.open()
    await widget.ask("/echo Hello")
    await widget.answered("Hello")
    await page.get_by_role("button", name="Answer again").click()
    await expect(page.locator(".versions")).to_be_visible()
    await widget.settled()
    assert await context_of(widget) == {"data": {"sku": 4}}


async def test_the_page_shows_answers_in_its_own_way(
    page: Page, shop: Site, server: Server
) -> None:
    widget = await Widget.on(page, shop_page(shop, server))
    await page.evaluate(
        """() => {
            document.addEventListener("claw:render", ({ detail: { message, element } }) => {
                const slot = Object.assign(document.createElement("slot"), { name: message.id });
                element.append(slot);
                const card = Object.assign(document.createElement("b"), { slot: message.id });
                card.textContent = "of the page";
                document.querySelector("claw-chat").append(card);
            });
        }"""
    )
    await widget.open()
    await widget.ask("/echo **Hello**")
    await expect(page.locator("claw-chat > b")).to_be_visible()
    await expect(widget.answers.locator("strong")).to_have_text("Hello")
    await widget.settled()
    assert await page.locator("claw-chat > b").count() == 1
