"""The pages of an agent's own host: its chat with the wire beside it, the demo, the frame."""

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser import widget as visits
from tests.browser.conftest import Shoot
from tests.browser.site import Site
from tests.browser.widget import Widget, words
from tests.live.server import Server
from tests.live.visiting import open_to_visitors

# Whoever frames the chat is named: a console on any host (`*`) is not.
SETTINGS = visits.SETTINGS | {"ALLOWED_HOSTS": "localhost,127.0.0.1,.localhost"}


@pytest.fixture(scope="module")
def home(server: Server, shop: Site) -> str:
    """The demo agent's own host."""
    open_to_visitors(server, "acme-agent", publicPage=True)
    return f"http://acme-agent.localhost:{server.port}"


async def test_it_works(page: Page, home: str, shoot: Shoot) -> None:
    widget = Widget(page)
    await page.goto(home)
    await expect(page.locator(".greeting")).to_have_text("Welcome to the shop")
    await page.get_by_text("Wire").click()
    await widget.ask("Hello [[upstream tokens=5]]")
    await widget.answered(words(5))
    kinds = page.locator("claw-wire li strong")
    await expect(kinds.last).to_have_text("done")
    await expect(kinds.filter(has_text="message_complete")).to_have_count(1)
    await shoot("page-wire")


async def test_the_demo_page_has_the_widget(page: Page, home: str, shoot: Shoot) -> None:
    widget = await Widget.on(page, f"{home}/demo/")
    await widget.open()
    await widget.ask("Hello [[upstream tokens=5]]")
    await widget.answered(words(5))
    await shoot("page-demo")


async def test_the_pages_speak_the_visitor_s_language(
    browser: Browser, home: str, server: Server
) -> None:
    """And so does the chat on them."""
    context = await browser.new_context(locale="es-MX")
    page = await context.new_page()
    await page.goto(home)
    await expect(page.get_by_role("textbox", name="Mensaje")).to_be_visible()
    await expect(page.locator(".wire summary")).to_have_text("Eventos")
    await page.goto(f"{home}/demo/")
    await expect(page.get_by_role("heading", level=1)).to_have_text("acme-agent en su página")
    await expect(page.get_by_role("button", name="Abrir el chat")).to_be_visible()
    await page.goto(f"http://localhost:{server.port}/a/nobody/")
    await expect(page.get_by_role("heading")).to_have_text("Aquí no hay nada")
    await context.close()


async def test_the_console_s_host_frames_it(page: Page, home: str, server: Server) -> None:
    await page.goto(f"http://localhost:{server.port}/a/acme-agent/")
    frame = page.frame_locator("iframe")
    await expect(frame.locator(".greeting")).to_have_text("Welcome to the shop")
