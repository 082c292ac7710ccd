"""The agent of `make run`, which needs no key: a tool, an approval, a question and sources."""

from collections.abc import Iterator

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Shoot
from tests.browser.test_accessibility import violations
from tests.browser.widget import SETTINGS, Widget
from tests.live.quickstart import quickstarted

# Those of `make run`: only on this machine the agent has a page.
HOSTS = {"ALLOWED_HOSTS": "localhost,127.0.0.1,.localhost"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page of the demo agent."""
    with quickstarted(tmp_path_factory.mktemp("demo"), **HOSTS, **SETTINGS) as (server, _):
        yield f"http://my-agent.localhost:{server.port}"


async def open_page(page: Page, home: str) -> Widget:
    await page.goto(home)
    await expect(page.locator(".greeting")).to_be_visible(timeout=20_000)
    return Widget(page)


async def choose(page: Page, prompt: str) -> None:
    """Click a prompt that the page offers."""
    await page.get_by_role("button", name=prompt, exact=True).click()


async def test_a_tool(page: Page, home: str) -> None:
    widget = await open_page(page, home)
    await choose(page, "/tool")
    card = page.locator(".card.tool")
    await expect(card).to_have_attribute("data-state", "done")
    await expect(card.locator("summary")).to_contain_text("current_time")
    await widget.settled()
    await expect(widget.answers.last.locator(".body")).to_contain_text("answered:")
    await page.reload()
    await expect(card.locator("summary")).to_contain_text("current_time")


@pytest.mark.parametrize(("button", "told"), [("Approve", "42"), ("Deny", "could not be used")])
async def test_an_approval_survives_a_reload(page: Page, home: str, button: str, told: str) -> None:
    widget = await open_page(page, home)
    await choose(page, "/approve 6 * 7")
    ask = page.get_by_role("group", name="May the assistant use “calculator”?")
    await expect(ask).to_be_visible()
    await page.reload()
    await expect(ask.locator("pre")).to_contain_text("6 * 7")
    await ask.get_by_role("button", name=button, exact=True).click()
    await expect(widget.answers.last.locator(".body")).to_contain_text(told)
    await widget.settled()
    await expect(ask).to_have_count(0)


async def test_a_question_survives_a_reload(page: Page, home: str) -> None:
    widget = await open_page(page, home)
    await choose(page, "/ask")
    question = page.get_by_role("group", name="Which colour do you like best?")
    await expect(question).to_be_visible()
    await page.reload()
    await question.get_by_text("Green").click()
    await expect(widget.answers.last.locator(".body")).to_contain_text("Green")
    await expect(page.locator(".card.tool .verdict")).to_have_text("Green")


async def test_sources(page: Page, home: str) -> None:
    widget = await open_page(page, home)
    await choose(page, "/sources refund")
    card = page.locator(".card.sources")
    await expect(card.locator("summary")).to_have_text("1 source")
    await widget.settled()
    await page.reload()
    await card.locator("summary").click()
    await expect(card.locator("blockquote")).to_contain_text("within 14 days")
    await expect(card).to_contain_text("Handbook of the demo shop")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_and_looks(page: Page, home: str, scheme: str, shoot: Shoot) -> None:
    await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    widget = await open_page(page, home)
    await shoot(f"demo-agent-prompts-{scheme}")
    await widget.ask("/tool\n/sources refund\n/approve 6 * 7\n/ask")
    await expect(page.locator(".card.ask")).to_have_count(2)
    await expect(page.locator(".card.tool")).to_have_count(2)
    await page.locator(".card.tool summary").first.click()
    assert await violations(page) == []
    await shoot(f"demo-agent-acts-{scheme}")
