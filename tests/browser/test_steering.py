"""A message that joins an answer which is at work, in the widget against a real server."""

from collections.abc import Iterator

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Shoot
from tests.browser.widget import SETTINGS, Widget
from tests.live.quickstart import quickstarted
from tests.live.visiting import open_to_visitors

HOSTS = {"ALLOWED_HOSTS": "localhost,127.0.0.1,.localhost"}
ORDER = "(all) => all.map((each) => (each.matches('.user') ? 'user' : 'assistant'))"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page of the demo agent, whose visitors steer it."""
    with quickstarted(tmp_path_factory.mktemp("steer"), **HOSTS, **SETTINGS) as (server, _):
        open_to_visitors(server, "my-agent", ifBusy="steer")
        yield f"http://my-agent.localhost:{server.port}"


async def test_it_works(page: Page, home: str, shoot: Shoot) -> None:
    """It stands before the answer that it has joined, also after a reload."""
    widget = Widget(page)
    await page.goto(home)
    await expect(page.locator(".greeting")).to_be_visible(timeout=20_000)
    await widget.ask("/approve 6 * 7")
    ask = page.get_by_role("group", name="May the assistant use “calculator”?")
    await expect(ask).to_be_visible()
    await widget.call("chat.send('Hurry please')")
    await expect(widget.questions).to_have_count(2)
    await ask.get_by_role("button", name="Approve", exact=True).click()
    answer = widget.answers.last.locator(".body")
    await expect(answer).to_contain_text("You said meanwhile: Hurry please")
    await widget.settled()
    for _ in range(2):
        await expect(widget.answers).to_have_count(1)
        kinds = await page.locator(".message").evaluate_all(ORDER)
        assert kinds == ["user", "user", "assistant"]
        await shoot("steered")
        await page.reload()
        await expect(answer).to_contain_text("You said meanwhile")


async def test_enter_adds_to_the_answer_that_is_coming(page: Page, home: str, shoot: Shoot) -> None:
    """A button says so, and stopping stays at hand."""
    widget = Widget(page)
    await page.goto(home)
    await expect(page.locator(".greeting")).to_be_visible(timeout=20_000)
    await widget.ask("/approve 6 * 7")
    ask = page.get_by_role("group", name="May the assistant use “calculator”?")
    await expect(ask).to_be_visible()
    join = page.get_by_role("button", name="Add to the answer")
    await expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    await expect(join).to_be_hidden()
    await widget.input.fill("Hurry please")
    await expect(join).to_be_visible()
    await expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    await shoot("joining")
    await widget.input.press("Enter")
    await expect(widget.questions).to_have_count(2)
    await expect(widget.input).to_have_value("")
    await expect(join).to_be_hidden()
    await ask.get_by_role("button", name="Approve", exact=True).click()
    await expect(widget.answers.last).to_contain_text("You said meanwhile: Hurry please")
    await widget.settled()


async def test_always_is_shown_and_taken_back(page: Page, home: str, shoot: Shoot) -> None:
    widget = Widget(page)
    await page.goto(home)
    await expect(page.locator(".greeting")).to_be_visible(timeout=20_000)
    ask = page.get_by_role("group", name="May the assistant use “calculator”?")
    await widget.ask("/approve 6 * 7")
    await shoot("always")
    await ask.get_by_role("button", name="Always in this conversation").click()
    # Complete, not only for a moment without news: what is asked before would join it.
    await expect(widget.answers.last.get_by_role("button", name="Good answer")).to_be_visible()
    await widget.ask("/approve 5 * 7")
    await expect(widget.answers).to_have_count(2)
    card = widget.answers.last.locator("details.tool")
    await expect(card.locator("summary")).to_contain_text("Approved before")
    await widget.settled()
    await card.locator("summary").click()
    await shoot("standing")
    await card.get_by_role("button", name="Ask again from now on").click()
    await expect(card.get_by_text("It will ask again.")).to_be_visible()
    await widget.ask("/approve 4 * 7")
    await expect(ask).to_be_visible()
