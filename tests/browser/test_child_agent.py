"""An agent that asks another one, which needs a person: decided where the person talks, with the
keyboard, in English and in Spanish."""

import json
from collections.abc import Iterator

import httpx
import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import Shoot
from tests.browser.test_accessibility import violations
from tests.browser.widget import SETTINGS, Widget
from tests.live.quickstart import quickstarted

HOSTS = {"ALLOWED_HOSTS": "localhost,127.0.0.1,.localhost"}
APPROVED = {"builtin": "calculator", "approval": "always", "approvers": "visitor"}
TOOLS = {"expert": [APPROVED, {"builtin": "ask_user"}], "my-agent": [{"agent": "expert"}]}
ASK = '/tool expert {"message": "/approve 6 * 7\\n/ask"}'


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page of an agent that may ask another one."""
    with quickstarted(tmp_path_factory.mktemp("child"), **HOSTS, **SETTINGS) as (server, _):
        server.manage("create_agent", "--org", "Demo", "--slug", "expert", "--provider", "demo")
        scopes = ("--org", "Demo", "--scopes", "chat,agents:write", "--json")
        key = json.loads(server.manage("create_api_key", *scopes))["apiKey"]
        for slug, tools in TOOLS.items():
            answer = httpx.patch(
                f"{server.url}/api/agents/{slug}",
                json={"tools": tools},
                headers={"Authorization": f"Bearer {key}"},
                trust_env=False,
            )
            assert answer.status_code == 200, answer.text
        yield f"http://my-agent.localhost:{server.port}"


async def ask_the_expert(page: Page, home: str, message: str) -> Widget:
    """The other agent waits for two decisions."""
    await page.goto(home)
    await expect(page.locator(".greeting")).to_be_visible(timeout=20_000)
    widget = Widget(page)
    await page.get_by_role("textbox", name=message).fill(ASK)
    await page.keyboard.press("Enter")
    await expect(page.locator(".card.ask")).to_have_count(2, timeout=20_000)
    return widget


async def test_it_works_with_the_keyboard_alone(page: Page, home: str, shoot: Shoot) -> None:
    """What the other agent needs is asked here, says who asks, and survives a reload."""
    widget = await ask_the_expert(page, home, "Message")
    assert await violations(page) == []
    await shoot("child-asks")
    await page.reload()
    await expect(page.locator(".card.ask")).to_have_count(2)
    await page.get_by_role("button", name="Approve", exact=True).focus()
    await page.keyboard.press("Enter")
    await expect(page.locator(".card.ask").first).to_contain_text("Approved")
    green = page.get_by_role("button", name="Green", exact=True)
    await green.focus()
    await page.keyboard.press("Enter")
    body = widget.answers.last.locator(".body")
    await expect(body).to_contain_text("The tool expert answered:", timeout=20_000)
    await expect(body).to_contain_text("42")
    await expect(body).to_contain_text("Green")
    card = page.locator(".card.tool").filter(has_text="expert")
    await expect(card).to_have_attribute("data-state", "done")
    await widget.settled()
    assert await violations(page) == []
    await shoot("child-answered")


async def test_in_spanish(browser: Browser, home: str) -> None:
    """Names for screen readers too."""
    context = await browser.new_context(locale="es-MX")
    page = await context.new_page()
    await ask_the_expert(page, home, "Mensaje")
    await expect(page.get_by_role("group", name="¿Puede")).to_have_count(1)
    await expect(page.get_by_role("button", name="Aprobar", exact=True)).to_be_enabled()
    await expect(page.get_by_role("button", name="Rechazar", exact=True)).to_be_enabled()
    await expect(page.get_by_role("button", name="Omitir")).to_be_enabled()
    assert await violations(page) == []
    await context.close()
