"""A real Chromium, a page that reports what went wrong in it, and somebody else's site."""

import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright

from tests.browser.site import Site, serving
from tests.live.conftest import installation, make_server, server, upstream  # noqa: F401
from tests.live.server import Server
from tests.live.visiting import open_to_visitors
from tests.services import CHROMIUM

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# What Chromium itself says of a connection that fails.
NETWORK = re.compile(r"net::ERR|WebSocket connection to|Failed to load resource|CORS policy")
Shoot = Callable[[str], Awaitable[None]]
LOOPBACK = ("127.0.0.1", "localhost")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One event loop for all: a browser belongs to the loop that started it."""
    for item in items:
        if "tests/browser" in str(item.path):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium, started once."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


class Watched:
    """What pages of a test have complained of, and which hosts they asked."""

    def __init__(self) -> None:
        self.complaints: list[str] = []
        self.hosts: set[str] = set()
        self.connections_may_fail = False

    def watch(self, context: BrowserContext) -> None:
        context.on("console", self._said)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("request", lambda request: self._asked(request.url))

    def _said(self, message: ConsoleMessage) -> None:
        if self.connections_may_fail and NETWORK.search(message.text):
            return
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.text} ({message.location})")

    def _asked(self, url: str) -> None:
        if host := urlsplit(url).hostname:
            self.hosts.add(host)

    def foreign(self) -> set[str]:
        """Hosts beyond this machine."""
        return {h for h in self.hosts if h not in LOOPBACK and not h.endswith(".localhost")}


@pytest.fixture
def watched() -> Watched:
    """Set `connections_may_fail` where a test breaks them."""
    return Watched()


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser, watched: Watched, site: Site) -> AsyncIterator[BrowserContext]:
    """A visitor: storage of their own. No page of theirs may err or ask a foreign host.

    It asks for `site` so that the site stands until its pages are closed: they load more modules
    when they have time.
    """
    context = await browser.new_context(viewport={"width": 1000, "height": 760})
    context.set_default_timeout(30_000)
    watched.watch(context)
    yield context
    await context.close()
    assert watched.complaints == []
    assert watched.foreign() == set()


@pytest_asyncio.fixture(loop_scope="session")
async def page(context: BrowserContext) -> Page:
    """The visitor's first tab."""
    return await context.new_page()


@pytest.fixture
def site() -> Iterator[Site]:
    """A host site of this test."""
    with serving() as site:
        yield site


@pytest.fixture(scope="module")
def shop(server: Server) -> Iterator[Site]:  # noqa: F811
    """A site whose pages acme's agents talk to: `acme-agent`, and `demo` of the demo provider."""
    with serving() as site:
        server.manage("create_agent", "--org", "acme", "--slug", "demo", "--provider", "demo")
        for slug in ("acme-agent", "demo"):
            open_to_visitors(
                server,
                slug,
                allowedOrigins=[site.url],
                greeting="Welcome to the shop",
                prompts=["What can you do?", "/echo Show me"],
                visitorMessagesPerMinute=1000,
                visitorMessagesPerDay=100_000,
                showThinking=True,
            )
        yield site


@pytest.fixture
def shoot_of() -> Callable[[Page], Shoot]:
    """`await shoot_of(page)("name")` keeps a picture of the page for `make e2e`; else nothing."""
    folder = os.environ.get("SCREENSHOTS")

    def of(page: Page) -> Shoot:
        async def shoot(name: str) -> None:
            if folder:
                await page.screenshot(path=Path(folder) / f"{name}.png", animations="disabled")

        return shoot

    return of


@pytest.fixture
def shoot(page: Page, shoot_of: Callable[[Page], Shoot]) -> Shoot:
    """The same, of the visitor's first tab."""
    return shoot_of(page)
