"""The widget with each of its settings, for docs/widget.md."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Page, async_playwright

from tests.browser.site import serving
from tests.services import CHROMIUM

SIZE = {"width": 500, "height": 600}  # a narrower window is a phone's
PAGE = """
<title>Boots of four seasons</title>
<style>
  body { margin: 24px; font: 15px/1.6 "Liberation Sans", sans-serif; color: #23302a }
  claw-chat { --claw-font: "Liberation Sans", sans-serif; --claw-height: 480px }
</style>
<body><h1>Greenhouse</h1><p>Plants that like it where you are.</p>
<script src="{url}/static/claw/embed.js" data-agent="my-agent" data-name="Greenhouse"></script>
<script>addEventListener("DOMContentLoaded", () => {
  document.querySelector("claw-chat").settings = {settings};
})</script></body>
"""
LEAF = (
    "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHZpZXdCb3g9IjA"
    "gMCAyNCAyNCI+PGNpcmNsZSBjeD0iMTIiIGN5PSIxMiIgcj0iMTIiIGZpbGw9IiNkZmVlZTAiLz48cGF0aCBkPSJNNiAx"
    "OEM2IDggMTIgNiAxOSA1YzAgOC00IDEzLTEzIDEzIiBmaWxsPSIjMmY2YjRmIi8+PC9zdmc+"
)
GREEN = {"accent": "#2f6b4f", "headerColor": "#2f6b4f"}


async def closed(page: Page) -> None:
    """The button alone."""


async def opened(page: Page) -> None:
    """An empty chat."""
    await page.get_by_role("button", name="Open chat").or_(page.locator(".launcher")).first.click()
    await page.locator(".panel header").wait_for()


async def answered(page: Page) -> None:
    """A chat with an answer."""
    await opened(page)
    field = page.locator(".composer textarea")
    await field.fill("/echo We bring it to your door in **two days**.")
    await field.press("Enter")
    await page.locator('[role=log][aria-busy="false"] .message.assistant').wait_for()


async def bubble(page: Page) -> None:
    await page.locator(".bubble").wait_for()


async def slash(page: Page) -> None:
    await opened(page)
    await page.locator(".composer textarea").press_sequentially("/")
    await page.get_by_role("listbox").wait_for()


async def hours(page: Page) -> None:
    await opened(page)
    await page.get_by_text("Write to us").click()


async def menu(page: Page) -> None:
    await answered(page)
    await page.get_by_role("button", name="More").click()


async def rating(page: Page) -> None:
    await answered(page)
    await page.get_by_role("button", name="New conversation").first.click()
    await page.get_by_role("group", name="How was this conversation?").wait_for()


async def context(page: Page) -> None:
    await answered(page)
    await page.locator(".card.page summary").click()


@dataclass(frozen=True)
class Shown:
    """Settings, and what is done until they are seen."""

    settings: dict[str, Any]
    act: Callable[[Page], Awaitable[None]]
    attributes: dict[str, str] = field(default_factory=dict)


OPTIONS = {
    "branding": Shown(GREEN | {"avatar": LEAF, "radius": 6}, answered),
    "launcher": Shown(
        GREEN | {"launcherText": "Ask a gardener", "launcherIcon": LEAF, "position": "left"}, closed
    ),
    "theme": Shown({"theme": "dark"}, answered),
    "greetings": Shown(
        {"greetings": [{"page": "/*", "greeting": "What grows where you live?"}]}, opened
    ),
    "bubble": Shown({"bubble": {"text": "Shall I help you choose?", "delaySeconds": 0}}, bubble),
    "follow-ups": Shown({"followUps": ["What does it cost?", "May I return it?"]}, answered),
    "slash-prompts": Shown(
        {"slashPrompts": [{"name": "order", "text": "Where is my order?"}]}, slash
    ),
    "consent": Shown(
        {"consent": {"text": "An assistant answers here.", "privacyUrl": "/privacy"}}, opened
    ),
    "disclaimer": Shown({"disclaimer": "It may be wrong: please check what matters."}, opened),
    "hours": Shown({"hours": {"open": [], "timeZone": "Europe/Berlin", "form": True}}, hours),
    "menu": Shown({"transcript": True, "rating": True, "sound": True, "resizable": True}, menu),
    "rating": Shown({"rating": True}, rating),
    "page-context": Shown({"pageContext": ["title"], "pageData": {"product": "B-4711"}}, context),
    "languages": Shown({}, opened, {"locale": "ar"}),
}


async def shoot(url: str, folder: Path) -> None:
    """A picture of each, with the demo agent of the server at `url`, in a folder that is there."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for name, shown in OPTIONS.items():
            page = await browser.new_page(viewport=SIZE, locale="en")  # type: ignore[arg-type]
            with serving() as site:
                await page.goto(site.page(_page(url, shown)))
                await page.locator(".launcher").wait_for()
                await shown.act(page)
                await page.mouse.move(0, 0)
                file = folder / f"{name}.png"
                await page.screenshot(path=file, animations="disabled", caret="hide")
            await page.close()
        await browser.close()


def _page(url: str, shown: Shown) -> str:
    attributes = "".join(f' data-{name}="{value}"' for name, value in shown.attributes.items())
    page = PAGE.replace("{url}", url).replace("{settings}", json.dumps(shown.settings))
    return page.replace(' data-name="Greenhouse"', f' data-name="Greenhouse"{attributes}')
