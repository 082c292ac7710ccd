"""The widget on somebody's page, as the tests drive it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Locator, Page, expect

from tests.live.server import Server

# All visitors of a test come from one address.
SETTINGS = {
    f"CLAW_VISITOR_{limit}": "10000"
    for limit in ("SESSIONS_PER_ADDRESS", "REQUESTS_PER_MINUTE", "MESSAGES_PER_ADDRESS")
}
# Only scripts and connections of the widget's host, nothing inline: what the documentation asks.
POLICY = (
    "default-src 'none'; script-src {host}; connect-src {host} {socket}; img-src data:; "
    "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
)


def policy(server: Server) -> str:
    """A strict Content-Security-Policy of a page that has the widget."""
    return POLICY.format(host=server.url, socket=server.url.replace("http", "ws"))


def embedding(server: Server, agent: str = "acme-agent", **data: str) -> str:
    """A host page's content: some text, and the one line."""
    attributes = "".join(f' data-{name}="{value}"' for name, value in data.items())
    return (
        "<head><title>Shop</title></head><body><main><h1>Shop</h1><div id='here'></div></main>"
        f'<script src="{server.url}/static/claw/embed.js" data-agent="{agent}"{attributes}>'
        "</script></body>"
    )


class Widget:
    """What a visitor sees and does. Playwright looks into open shadows by itself."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.host = page.locator("claw-chat")
        self.log = page.get_by_role("log")
        self.input = page.get_by_role("textbox", name="Message")
        self.answers = page.locator(".message.assistant")
        self.questions = page.locator(".message.user")

    @classmethod
    async def on(cls, page: Page, url: str) -> "Widget":
        """Go to the page, and wait for the widget."""
        widget = cls(page)
        await page.goto(url)
        await widget.ready()
        return widget

    async def ready(self) -> None:
        """Until it stands on the page."""
        await expect(self.page.locator(".launcher")).to_be_attached(timeout=20_000)

    async def open(self) -> None:
        """Click the button, and wait until one can write."""
        await self.page.get_by_role("button", name="Open chat").click()
        await expect(self.page.locator(".greeting")).to_be_visible(timeout=20_000)

    async def ask(self, text: str) -> None:
        """Write and send."""
        await self.input.fill(text)
        await self.input.press("Enter")

    async def answered(self, text: str, count: int = 1) -> Locator:
        """Wait until the last of `count` answers is complete and reads so."""
        await expect(self.answers).to_have_count(count, timeout=20_000)
        last = self.answers.last
        await expect(last.locator(".body")).to_have_text(text, timeout=30_000)
        await self.settled()
        return last

    async def settled(self) -> None:
        """Until no answer is coming."""
        await expect(self.log).to_have_attribute("aria-busy", "false", timeout=30_000)

    async def call(self, expression: str) -> Any:
        """Evaluate in the page, with the element as `chat`."""
        return await self.host.evaluate(f"(chat) => {expression}")


@asynccontextmanager
async def another_tab(widget: Widget, url: str) -> AsyncIterator[Widget]:
    """The same visitor's second tab."""
    page = await widget.page.context.new_page()
    try:
        yield await Widget.on(page, url)
    finally:
        await page.close()


def words(count: int) -> str:
    """What the model server says in `count` tokens, as it is shown."""
    return " ".join(f"w{i}" for i in range(count))
