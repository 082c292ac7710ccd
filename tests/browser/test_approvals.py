"""The page `approvals/` of the console: calls are decided one by one, many at once, for good."""

import asyncio
import json

from playwright.async_api import Page, expect

from tests.browser.conftest import Shoot
from tests.browser.test_accessibility import violations
from tests.browser.test_console import make_agent, sign_up
from tests.live.clients import Rest
from tests.live.server import Server

SETTINGS = {"CLAW_SIGNUP": "open"}
TOOLS = {"tools": [{"builtin": "calculator", "approval": "always"}]}
SCOPES = "chat,agents:write,runs:approve"


async def asking(page: Page, server: Server, name: str) -> tuple[str, Rest]:
    """The console of a new organisation whose agent's tool waits for approval, and its key."""
    console = await sign_up(page, server, name)
    await make_agent(page, f"{name} agent")
    arguments = ("create_api_key", "--org", name, "--scopes", SCOPES, "--json")
    made = json.loads(await asyncio.to_thread(server.manage, *arguments))
    slug = f"{name.lower()}-agent"
    async with Rest(server.url, made["apiKey"]) as rest:
        changed = await rest.request("PATCH", f"/api/agents/{slug}", json=TOOLS)
        assert changed.status_code == 200, changed.text
    return console, Rest(f"{server.url}/a/{slug}", made["apiKey"])


async def ask(rest: Rest, expression: str, **fields: str) -> str:
    """The run of a question whose answer waits."""
    text = "/tool calculator " + json.dumps({"expression": expression})
    answer = await rest.post("/api/chat", json={"message": text, **fields})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["runId"])


async def test_it_works(page: Page, server: Server, shoot: Shoot) -> None:
    console, rest = await asking(page, server, "Ida")
    async with rest:
        for n in range(4):
            await ask(rest, f"{n} * 7")
        await page.goto(f"{console}approvals/")
        calls = page.locator("[data-call]")
        await expect(calls).to_have_count(4)
        badge = page.locator("[data-waiting]")
        await expect(badge).to_have_text("4 waiting")
        assert await violations(page) == []
        await shoot("approvals")
        await page.set_viewport_size({"width": 360, "height": 760})
        await shoot("approvals-narrow")
        await page.set_viewport_size({"width": 1280, "height": 760})

        one = calls.filter(has_text="0 * 7")
        await one.get_by_label("Reason for calculator").fill("No need.")
        await one.get_by_role("button", name="Decline").click()
        await expect(one).to_contain_text("Declined.")

        await page.get_by_label("Choose all").check()
        await calls.filter(has_text="3 * 7").get_by_role("checkbox").uncheck()
        await page.get_by_role("button", name="Approve chosen").click()
        await expect(page.get_by_text("Approved.")).to_have_count(2)
        await expect(badge).to_have_text("1 waiting")

        last = calls.filter(has_text="3 * 7")
        await last.get_by_role("button", name="Always for this agent").click()
        await expect(last).to_contain_text("Approved.")
        await expect(badge).to_be_hidden()
        again = await rest.post(
            "/api/chat", json={"message": '/tool calculator {"expression": "6 * 7"}'}
        )
        assert again.status_code == 200, again.text

        await page.get_by_role("link", name="Always allowed").click()
        await expect(page.get_by_role("row", name="calculator")).to_contain_text("ida@example.com")
        assert await violations(page) == []
        await shoot("approvals-always")
        await page.get_by_role("button", name="Revoke").click()
        await page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
        await expect(page.get_by_text("Everything asks")).to_be_visible()
        await ask(rest, "5 * 7")


async def test_a_call_that_somebody_else_has_decided_says_so(page: Page, server: Server) -> None:
    console, rest = await asking(page, server, "Eva")
    async with rest:
        run = await ask(rest, "1 + 1")
        await page.goto(f"{console}approvals/")
        (pending,) = (await rest.waiting(run))["pending"]
        verdict = {"argsDigest": pending["argsDigest"], "approve": True}
        decided = await rest.post(f"/api/runs/{run}/approvals/{pending['id']}", json=verdict)
        assert decided.status_code == 200, decided.text
        call = page.locator("[data-call]")
        await call.get_by_role("button", name="Decline").click()
        await expect(call).to_contain_text("decided before")
        await expect(call.get_by_role("button")).to_have_count(0)
