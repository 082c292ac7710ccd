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
