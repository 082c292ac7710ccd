"""The page `runs/<id>/` of the console: a run again, at its own pace."""

from playwright.async_api import Page, expect

from tests.browser.conftest import Shoot
from tests.browser.test_accessibility import violations
from tests.browser.test_live import watching
from tests.live.server import Server

SETTINGS = {"CLAW_SIGNUP": "open"}


async def test_it_works(page: Page, server: Server, shoot: Shoot) -> None:
    console, rest = await watching(page, server, "Grace")
    async with rest:
        answer = (await rest.post("/api/chat", {"message": "/delay 20\nTell me more"})).json()
    await page.goto(console.replace("live/", f"runs/{answer['runId']}/"))
    rows = page.locator("[data-events] tr")
    await expect(rows.first).to_contain_text("run_started")
    await expect(rows.last).to_contain_text("done")
    said = page.get_by_role("region", name="The answer at this position")
    await expect(said).to_have_text(answer["content"], use_inner_text=True)
    assert await violations(page) == []
    await shoot("replay")

    await rows.first.click()
    await expect(said).to_be_empty()
    await page.get_by_role("combobox", name="Speed").select_option("16")
    await page.get_by_role("button", name="Play").click()
    await expect(rows.last).to_have_attribute("aria-current", "true", timeout=30_000)
    await expect(page.get_by_role("button", name="Play")).to_be_visible()

    await page.locator("[data-gaps] button").first.click()
    await expect(page.locator("[aria-current] .number.muted")).to_have_text(
        f"+{await page.locator('[data-gaps] button').first.text_content()}"
    )
    await page.get_by_text("Call 1:").click()
    await expect(page.locator("[data-calls] pre")).to_contain_text("Tell me more")
