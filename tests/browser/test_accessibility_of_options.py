"""For everyone: what settings add to a chat, for axe, on phones, in forced colours and enlarged."""

import json
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import Shoot, Watched
from tests.browser.site import Site
from tests.browser.test_accessibility import violations
from tests.browser.widget import SETTINGS, Widget, embedding, policy
from tests.live.server import Server

__all__ = ["SETTINGS"]

EVERYTHING: dict[str, Any] = {
    "consent": {"text": "An assistant answers here.", "privacyUrl": "https://shop.example/privacy"},
    "disclaimer": "It may be wrong.",
    "followUps": ["How long does delivery take?", "May I return it?"],
    "hours": {"open": [], "timeZone": "Europe/Berlin", "form": True, "text": "Back on Monday."},
    "pageContext": True,
    "pageData": {"sku": "B-4711"},
    "rating": True,
    "resizable": True,
    "slashPrompts": [{"name": "order", "text": "Where is my order?"}],
    "sound": True,
    "transcript": True,
    "launcherText": "Ask us",
    "headerColor": "#0a7d55",
    "theme": "auto",
}
OVER = """() => {
    const { shadowRoot } = document.querySelector("claw-chat");
    const places = [document.documentElement, ...shadowRoot.querySelectorAll(".content, header")];
    const wide = places.filter((each) => each.scrollWidth > each.clientWidth + 1);
    return wide.map((each) => each.className || each.localName);
}"""

STILL = """(panel) => Promise.all(panel.getAnimations({ subtree: true })
    .filter((each) => each.effect.getComputedTiming().endTime < Infinity)
    .map((each) => each.finished))"""


async def through_all(page: Page, url: str, shoot: Shoot, name: str) -> None:
    """A visitor meets each part; none has a serious violation, or is wider than its place."""

    async def look(part: str) -> None:
        await page.locator(".panel").evaluate(STILL)
        assert await violations(page) == [], part
        assert await page.evaluate(OVER) == [], part
        await shoot(f"options-{name}-{part}")

    settle = f"document.querySelector('claw-chat').settings = {json.dumps(EVERYTHING)}"
    await page.add_init_script(
        f"document.addEventListener('DOMContentLoaded', () => setTimeout(() => {{ {settle} }}))"
    )
    widget = await Widget.on(page, url)
    field = page.locator(".composer textarea")  # with `/` prompts it is a combobox
    await page.get_by_role("button", name="Open chat").click()
    await expect(page.get_by_role("button", name="I agree")).to_be_visible()
    await look("consent")
    await page.get_by_role("button", name="I agree").click()
    await page.get_by_text("Write to us").click()
    await look("hours")
    await page.get_by_text("Write to us").click()
    await field.fill("/")
    await expect(page.get_by_role("listbox")).to_be_visible()
    await look("slash")
    for number in (1, 2):
        await field.fill(f"/echo {number}")
        await page.get_by_role("button", name="Send", exact=True).click()
        await widget.answered(str(number), number)
    await page.get_by_role("button", name="Answer again").last.click()
    await expect(page.locator(".versions")).to_be_visible()
    await widget.settled()
    await page.locator(".card.page summary").last.click()
    await look("answers")
    await page.get_by_role("button", name="More").click()
    await look("menu")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="New conversation").first.click()
    await expect(page.get_by_role("group", name="How was this conversation?")).to_be_visible()
    await look("rating")


@pytest.fixture
def host(shop: Site, server: Server) -> str:
    """A page with everything that can be asked for, under the strict policy."""
    page = embedding(server, "demo").replace(
        "<head>", "<head><meta name=viewport content=width=device-width>"
    )
    return shop.page(page, content_security_policy=policy(server))


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_works(page: Page, host: str, scheme: str, shoot: Shoot) -> None:
    await page.emulate_media(color_scheme=scheme)
    await through_all(page, host, shoot, scheme)


@pytest.mark.parametrize(("width", "height"), [(360, 640), (390, 844), (844, 390)])
async def test_phones(
    browser: Browser, watched: Watched, host: str, shoot_of: Any, width: int, height: int
) -> None:
    """With touch, upright and on its side."""
    context = await browser.new_context(
        viewport={"width": width, "height": height}, has_touch=True, is_mobile=True
    )
    watched.watch(context)
    page = await context.new_page()
    try:
        await through_all(page, host, shoot_of(page), f"{width}x{height}")
    finally:
        await context.close()


async def test_forced_colours_and_less_motion(page: Page, host: str, shoot: Shoot) -> None:
    await page.emulate_media(forced_colors="active", reduced_motion="reduce")
    await through_all(page, host, shoot, "forced")


async def test_enlarged_to_twice_the_size(page: Page, host: str, shoot: Shoot) -> None:
    """1280 by 760 at 200 %."""
    await page.set_viewport_size({"width": 640, "height": 380})
    await through_all(page, host, shoot, "twice")
