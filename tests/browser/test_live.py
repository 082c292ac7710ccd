"""The page `live/` of the console: what runs, as it happens."""

import asyncio
import json
import re
from collections.abc import Callable

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Shoot, Watched
from tests.browser.site import Site
from tests.browser.test_accessibility import violations
from tests.browser.test_console import make_agent, sign_up
from tests.live.clients import Rest
from tests.live.server import Server

SETTINGS = {"CLAW_SIGNUP": "open"}
SLOW = "/delay 40\n/long 5000"
ROWS = "[data-board] tbody tr:not(.spacer)"


async def watching(page: Page, server: Server, name: str) -> tuple[str, Rest]:
    """A new organisation's page `live/`, and a program that asks its agent."""
    console = await sign_up(page, server, name)
    await make_agent(page, f"{name} agent")
    slug = f"{name.lower()}-agent"
    made = await asyncio.to_thread(server.manage, "create_api_key", "--agent", slug, "--json")
    await page.goto(f"{console}live/")
    await expect(page.get_by_text("Nothing runs")).to_be_visible()
    await expect(page.get_by_role("status")).to_have_text("Live")
    return page.url, Rest(server.url, json.loads(made)["apiKey"])


async def test_a_run_is_read_while_it_is_written_and_stopped(
    page: Page, server: Server, shoot: Shoot
) -> None:
    _, rest = await watching(page, server, "Ada")
    async with rest:
        asking = asyncio.create_task(rest.post("/api/chat", {"message": SLOW}))
        row = page.locator(ROWS)
        await expect(row.get_by_text("running")).to_be_visible()
        await expect(page.locator("[data-number=running]")).to_have_text("1")
        await row.get_by_role("button", name="Ada agent").first.click()
        panel = page.get_by_role("complementary", name="Ada agent")
        await expect(panel.get_by_text("/long 5000")).to_be_visible()
        await expect(panel.get_by_role("log")).to_contain_text("counting its words")
        await expect(page).to_have_url(re.compile(r"live/\?run=run_\w+$"))
        assert await violations(page) == []
        await shoot("live-open")
        await panel.get_by_role("button", name="Stop").click()
        await panel.get_by_role("button", name="Stop it?").click()
        await expect(row.get_by_text("cancelled")).to_be_visible()
        await expect(panel.get_by_role("button", name="Stop")).to_be_hidden()
        assert (await asking).json()["content"]
        await page.keyboard.press("Escape")
        await expect(panel).to_be_hidden()
        await expect(row.get_by_role("button", name="Ada agent")).to_be_focused()


async def test_the_address_holds_the_filters(page: Page, server: Server) -> None:
    _, rest = await watching(page, server, "Grace")
    async with rest:
        await rest.post("/api/chat", {"message": "/echo fine"})
        await rest.post("/api/chat", {"message": "/fail"})
        await expect(page.locator(ROWS)).to_have_count(2)
        await page.get_by_label("Status").select_option("Failed")
        await expect(page.locator(ROWS)).to_have_count(1)
        await expect(page).to_have_url(re.compile(r"status=failed"))
        await page.reload()
        await expect(page.get_by_role("status")).to_have_text("Live")
        await expect(page.get_by_label("Status")).to_have_value("failed")
        asking = asyncio.create_task(rest.post("/api/chat", {"message": SLOW}))
        await expect(page.locator("[data-number=running]")).to_have_text("1")
        await expect(page.locator(ROWS)).to_have_count(0)
        await page.get_by_label("Status").select_option("Under way")
        await page.get_by_label("Agent", exact=True).select_option("Grace agent")
        await expect(page.locator(ROWS)).to_have_count(1)
        await page.get_by_role("button", name="Stop all shown").click()
        await page.get_by_role("button", name="Stop them").click()
        await expect(page.locator(ROWS)).to_have_count(0)
        await asking


async def test_it_says_when_its_link_is_down_and_comes_back(
    page: Page, make_server: Callable[..., Server], watched: Watched
) -> None:
    server = make_server(**SETTINGS)
    _, rest = await watching(page, server, "Edith")
    watched.connections_may_fail = True
    await asyncio.to_thread(server.kill)
    await expect(page.get_by_role("status")).to_have_text("The link is down")
    await expect(page.locator("[data-again]")).to_have_text(re.compile(r"again in \d+ s"))
    await asyncio.to_thread(server.start)
    async with rest:
        await rest.post("/api/chat", {"message": "/echo while it was away"})
        await expect(page.get_by_role("status")).to_have_text("Live", timeout=30_000)
        await expect(page.locator(ROWS).get_by_text("completed")).to_be_visible()


MANY = """async (rows) => {
    const { Board } = await import("/static/claw/live/board.js");
    const board = new Board(document.querySelector("[data-board]"), { mayStop: true });
    const runs = Array.from({ length: rows }, (_, number) => ({
        id: `run_${number}`, agentName: `Agent ${number}`, model: "demo", owner: "keys",
        status: "running", tokens: 0, cost: null, since: Date.now(), endedAt: null,
        tools: new Map(),
    }));
    const times = [];
    for (let frame = 0; frame < 60; frame += 1) {
        await new Promise(requestAnimationFrame);
        const begun = performance.now();
        for (const run of runs) run.tokens += 7;
        board.show(runs, "", Date.now());
        times.push(performance.now() - begun);
    }
    const scroller = document.querySelector("[data-board]");
    scroller.scrollTop = 44 * 300;
    await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
    const first = () => scroller.querySelectorAll("tr:not(.spacer) .name")[8].textContent;
    const read = first();
    board.show([{ ...runs[0], id: "run_new" }, ...runs], "", Date.now());
    return { drawn: scroller.querySelectorAll("tbody tr").length, read, still: first(),
             median: times.sort((a, b) => a - b)[30] };
}"""


@pytest.mark.parametrize("rows", [500, 5000])
async def test_however_many_run_few_rows_are_drawn(page: Page, site: Site, rows: int) -> None:
    styles = "".join(
        f'<link rel="stylesheet" href="/static/{path}.css">'
        for path in ("claw/widget/styles/tokens", "console/base", "console/parts", "console/live")
    )
    table = "<table><thead><tr><th>Agent</th></tr></thead><tbody></tbody></table>"
    await page.goto(site.page(f'{styles}<div class="table board" data-board>{table}</div>'))
    found = await page.evaluate(MANY, rows)
    assert found["drawn"] < 50
    assert found["read"] == found["still"] == "Agent 300"
    assert found["median"] < 50  # on a machine that does other things too
