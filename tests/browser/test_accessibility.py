"""For everyone: axe, keyboard only, what a screen reader is told, small screens, motion."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, Route, expect

from tests.browser.conftest import Shoot
from tests.browser.site import Site
from tests.browser.widget import SETTINGS, Widget, embedding, words
from tests.live.server import Server

__all__ = ["SETTINGS"]

AXE = Path(__file__).resolve().parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
SHOP = "<style>body { font-family: serif; color: #222 } h1 { font-size: 3rem }</style>"
THINKING = "/think\n/delay 0"


@pytest_asyncio.fixture(loop_scope="session")
async def widget(page: Page, shop: Site, server: Server) -> Widget:
    """The widget with the demo agent, not opened yet."""
    return await Widget.on(page, shop.page(SHOP + embedding(server, "demo"), "/demo"))


async def violations(page: Page) -> list[str]:
    """What axe finds serious or critical, each with the place."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE.read_text())
    found: dict[str, Any] = await page.evaluate("axe.run(document)")
    return [
        f"{violation['id']}: {json.dumps([node['target'] for node in violation['nodes']])}"
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
    ]


async def announced(page: Page) -> list[str]:
    """What the polite region holds."""
    return await page.locator(".unseen[aria-live] p").all_text_contents()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_works_for_axe(page: Page, widget: Widget, scheme: str, shoot: Shoot) -> None:
    await page.emulate_media(color_scheme=scheme)
    await page.add_style_tag(content=":root { color-scheme: light dark }")
    await page.evaluate("document.body.style.color = 'CanvasText'")
    assert await violations(page) == []
    await widget.open()
    assert await violations(page) == []
    await shoot(f"empty-{scheme}")
    await widget.ask(THINKING)
    await expect(widget.answers).to_have_count(1)
    await widget.settled()
    await page.locator("summary").click()
    assert await violations(page) == []
    await shoot(f"answer-{scheme}")
    await widget.ask("/fail")
    await expect(widget.answers.locator(".problem").last).to_contain_text("Try again")
    await page.get_by_role("button", name="Edit").first.click()
    assert await violations(page) == []
    await shoot(f"error-{scheme}")
    await page.get_by_role("button", name="Conversations").click()
    await page.locator(".history").get_by_role("button", name="Delete").click()
    assert await violations(page) == []
    await shoot(f"history-{scheme}")


async def test_everything_by_keyboard(page: Page, widget: Widget) -> None:
    keyboard = page.keyboard
    focused = page.locator("claw-chat :focus")
    await keyboard.press("Tab")
    await expect(focused).to_have_accessible_name("Open chat")
    await keyboard.press("Enter")
    await expect(widget.input).to_be_focused()
    await expect(page.locator(".greeting")).to_be_visible()
    await keyboard.type("/echo Hello")
    await keyboard.press("Enter")
    await widget.answered("Hello")
    await expect(page.get_by_role("button", name="Answer again")).to_be_visible()
    names = []
    for _ in range(8):
        await keyboard.press("Shift+Tab")
        names.append(await focused.get_attribute("aria-label"))
    assert [name for name in names if name] == [
        *["Answer again", "Bad answer", "Good answer", "Copy"],
        *["Edit and send again", "Copy"],
    ] + [name for name in names[7:] if name]
    await widget.input.focus()
    await keyboard.type("/slow")
    await keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Stop")).to_be_visible()
    await keyboard.press("Escape")
    await widget.settled()
    await expect(widget.answers.last).to_contain_text("Stopped.")
    await expect(page.locator(".unseen[aria-live] p").last).to_have_text("Stopped.")
    await keyboard.press("Escape")
    await expect(focused).to_have_accessible_name("Open chat")


async def test_the_focus_is_never_lost(page: Page, widget: Widget) -> None:
    """A button that goes, or that nothing can be done with any more, hands it on."""

    async def press(button: Locator) -> None:
        await page.keyboard.press("Shift")  # who used the mouse before is on the keyboard now
        await button.focus()
        await page.keyboard.press("Enter")

    def button(name: str) -> Locator:
        return page.get_by_role("button", name=name, exact=True).last

    await widget.open()
    await press(button("/echo Show me"))
    await expect(widget.input).to_be_focused()
    await widget.answered("Show me")
    await press(button("Good answer"))
    await expect(button("Good answer")).to_have_attribute("aria-pressed", "true")
    await expect(button("Good answer")).to_be_focused()
    await press(button("Answer again"))
    await expect(widget.input).to_be_focused()
    await widget.answered("Show me")
    await widget.ask("/slow")
    await press(button("Stop"))
    await expect(widget.input).to_be_focused()
    history = button("Conversations")
    await press(history)
    await expect(button("Close conversations")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(history).to_be_focused()
    await expect(history).to_have_attribute("aria-expanded", "false")

    seen = asyncio.Event()

    async def later(route: Route) -> None:
        await seen.wait()
        await route.continue_()

    await page.route("**/api/conversations?*", later, times=1)
    await page.keyboard.press("Enter")
    await expect(history).to_have_attribute("aria-expanded", "true")
    await press(button("Delete"))
    async with page.expect_response("**/api/conversations?*"):
        seen.set()
    await page.wait_for_function("requestAnimationFrame(() => window.drawn = true), window.drawn")
    await page.keyboard.press("Enter")
    await expect(button("Close conversations")).to_be_focused()
    await expect(page.get_by_text("Your conversations will be listed here.")).to_be_visible()


async def test_f10_sentences_are_announced_and_errors_at_once(page: Page, widget: Widget) -> None:
    await widget.open()
    await expect(widget.log).to_have_attribute("aria-live", "off")
    await widget.ask("/echo Here is one. And **another** one! The `end`")
    await widget.answered("Here is one. And another one! The end")
    said = await announced(page)
    assert " ".join(said) == "Here is one. And another one! The end"
    assert all(line[-1] in ".!" for line in said[:-1])
    await widget.ask("/fail")
    await expect(page.get_by_role("alert")).to_have_text("The answer could not be finished.")


async def test_the_history_is_not_read_aloud_again(page: Page, widget: Widget) -> None:
    await widget.open()
    await widget.ask("/echo Once.")
    await widget.answered("Once.")
    await page.reload()
    await widget.answered("Once.")
    assert await announced(page) == []


@pytest.mark.parametrize(("width", "height"), [(360, 640), (640, 380), (2560, 1440)])
async def test_it_fits(page: Page, widget: Widget, width: int, height: int, shoot: Shoot) -> None:
    """A phone; 1280 by 760 at 200 %; a large screen."""
    await page.set_viewport_size({"width": width, "height": height})
    await widget.open()
    await widget.ask("/delay 0")
    await expect(widget.answers).to_have_count(1)
    await widget.settled()
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    over = await page.locator(".content").evaluate("(all) => all.scrollWidth - all.clientWidth")
    assert over <= 0
    for part in (widget.input, page.get_by_role("button", name="Close chat").first):
        box = await part.bounding_box()
        assert box is not None
        assert box["x"] >= 0 and box["x"] + box["width"] <= width
        assert box["y"] >= 0 and box["y"] + box["height"] <= height
    await shoot(f"fits-{width}")


async def test_nothing_moves_for_who_does_not_want_it(page: Page, widget: Widget) -> None:
    await page.emulate_media(reduced_motion="reduce")
    await widget.open()
    await widget.ask("/slow")
    body = page.locator(".streaming.assistant:not(.empty) .body")
    await expect(body).to_be_visible()
    moving = await page.locator(".panel").evaluate(
        "(panel) => panel.getAnimations({ subtree: true }).length"
    )
    assert moving == 0
    await widget.input.press("Escape")
    await widget.settled()


async def test_themes_come_from_the_page_and_the_attribute(page: Page, widget: Widget) -> None:
    panel, launcher = page.locator(".panel"), page.locator(".launcher")
    colour = "(element) => getComputedStyle(element).backgroundColor"
    await widget.open()
    await page.emulate_media(color_scheme="dark")
    light = await panel.evaluate(colour)  # as the page, which knows no other
    await page.add_style_tag(content=":root { color-scheme: light dark }")
    dark = await panel.evaluate(colour)
    assert light != dark
    await page.evaluate("document.documentElement.style.colorScheme = 'light'")
    assert await panel.evaluate(colour) == light
    await widget.call("chat.setAttribute('theme', 'auto')")
    assert await panel.evaluate(colour) == dark
    await widget.call("chat.setAttribute('theme', 'light')")
    assert await panel.evaluate(colour) == light
    await page.emulate_media(color_scheme="light")
    await widget.call("chat.setAttribute('theme', 'dark')")
    assert await panel.evaluate(colour) == dark
    await page.add_style_tag(content="claw-chat { --claw-accent: rgb(1, 2, 3) }")
    await expect(launcher).to_have_css("background-color", "rgb(1, 2, 3)")
    await widget.call("chat.setAttribute('accent', 'rgb(4, 5, 6)')")
    await expect(launcher).to_have_css("background-color", "rgb(4, 5, 6)")


async def test_the_page_and_the_widget_leave_each_other_alone(
    page: Page, shop: Site, server: Server
) -> None:
    hostile = "<style>* { font-size: 40px !important; display: inline; color: red }</style>"
    widget = await Widget.on(page, shop.page(hostile + embedding(server, "demo"), "/hostile"))
    before = await page.locator("h1").bounding_box()
    await widget.open()
    assert await page.locator("h1").bounding_box() == before
    await expect(widget.input).to_have_css("font-size", "15px")
    assert await page.evaluate("document.adoptedStyleSheets.length") == 0


async def test_spanish_and_right_to_left(
    page: Page, shop: Site, server: Server, shoot: Shoot
) -> None:
    await Widget.on(page, shop.page(embedding(server, "demo", locale="es-MX"), "/es"))
    await page.get_by_role("button", name="Abrir el chat").click()
    await expect(page.get_by_role("textbox", name="Mensaje")).to_be_focused()
    await shoot("spanish")
    await Widget.on(page, shop.page(embedding(server, "demo", locale="ar"), "/ar"))
    await expect(page.locator("div.chat")).to_have_attribute("dir", "rtl")
    box = await page.locator(".launcher").bounding_box()
    assert box is not None and box["x"] < 100  # on the other side
    title, history = page.locator(".title bdi"), page.locator("[data-action=history]")
    name, button = await title.bounding_box(), await history.bounding_box()
    assert name and button and 0 < button["x"] - name["x"] - name["width"] < 20  # where lines begin
    await shoot("right-to-left")
    await Widget.on(page, shop.page(embedding(server, "demo", locale="de_DE"), "/de"))
    await expect(page.get_by_role("textbox", name="Nachricht")).to_be_visible()


async def test_inline_and_left(page: Page, shop: Site, server: Server, shoot: Shoot) -> None:
    url = shop.page(embedding(server, mode="inline", target="#here"), "/inline")
    widget = await Widget.on(page, url)
    await expect(widget.input).to_be_visible()
    assert await page.locator("#here > claw-chat").count() == 1
    await expect(page.locator(".launcher")).to_be_hidden()
    await widget.ask("Hello [[upstream tokens=3]]")
    await widget.answered(words(3))
    await shoot("inline")
    await Widget.on(page, shop.page(embedding(server, position="left"), "/left"))
    box = await page.locator(".launcher").bounding_box()
    assert box is not None and box["x"] < 100
