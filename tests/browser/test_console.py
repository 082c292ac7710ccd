"""The console in a real browser: from signing up to an answer by a new key, and for everyone."""

import asyncio
import json
import re
from urllib.request import Request, urlopen

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Shoot, Watched
from tests.browser.test_accessibility import violations
from tests.live.server import Server

SETTINGS = {"CLAW_SIGNUP": "open"}
PASSWORD = "analytical engine"
PAGES = (
    *("", "agents/", "agents/new/", "agents/helpdesk/", "agents/helpdesk/model/"),
    *(
        "agents/helpdesk/limits/",
        "agents/helpdesk/memory/",
        "agents/helpdesk/versions/",
        "agents/helpdesk/versions/1/",
        "agents/helpdesk/publish/",
        "agents/helpdesk/connect/",
        "live/",
        "alerts/",
        "alerts/new/",
        "approvals/",
        "approvals/always/",
        "conversations/",
        "usage/",
        "settings/budgets/",
        "settings/budgets/new/",
        "settings/keys/",
    ),
    *(
        "settings/keys/new/",
        "settings/members/",
        "settings/secrets/",
        "settings/audit/",
        "settings/retention/",
        "settings/",
    ),
)


async def code_for(server: Server, email: str) -> str:
    """The code of the last mail to this address, as the server has printed it."""
    for _ in range(100):
        if found := re.findall(
            rf"Mail to {email}: .*?\b([A-Z0-9]{{4}}-[A-Z0-9]{{4}})\b", server.log
        ):
            return str(found[-1])
        await asyncio.sleep(0.05)
    raise AssertionError("no mail was printed")


async def sign_up(page: Page, server: Server, name: str) -> str:
    """Be the owner of a new organisation of this name; returns the address of its console."""
    email = f"{name.lower()}@example.com"
    await page.goto(f"{server.url}/")
    await page.get_by_role("link", name="Create an account").click()
    await page.get_by_label("Email").fill(email)
    await page.get_by_label("Organisation").fill(name)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign Up").click()
    await page.get_by_label("Code").fill(await code_for(server, email))
    await page.get_by_role("button", name="Confirm").click()
    await expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    return page.url


async def make_agent(page: Page, name: str) -> None:
    await page.get_by_role("link", name="Create agent").click()
    await page.get_by_label("Name").fill(name)
    await page.get_by_role("button", name="Create agent").click()


def ask(server: Server, slug: str, key: str) -> str:
    """What a program of the customer's gets."""
    body = json.dumps({"message": "/echo Hello"}).encode()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    request = Request(f"{server.url}/a/{slug}/api/chat/stream", body, headers)
    with urlopen(request, timeout=30) as answer:
        events = [json.loads(line[6:]) for line in answer if line.startswith(b"data: ")]
    return "".join(event["content"] for event in events if event["type"] == "token")


async def save_and_share(page: Page, server: Server, shoot: Shoot) -> None:
    """From the page of a conversation: a file, and a page for everybody, until it is withdrawn."""
    await page.get_by_text("Export", exact=True).click()
    async with page.expect_download() as saving:
        await page.get_by_role("link", name="Markdown").click()
    saved = await (await saving.value).path()
    assert "It works" in saved.read_text()
    await shoot("console-conversation")
    await page.get_by_role("button", name="Share", exact=True).click()
    dialog = page.get_by_role("dialog", name="Share this conversation")
    await dialog.get_by_role("button", name="Share").click()
    await expect(dialog.get_by_text("shown this once")).to_be_visible()
    address = await dialog.locator("#shared-address").inner_text()
    await shoot("console-sharing")
    await dialog.get_by_role("button", name="Done").click()
    await expect(page.get_by_text("Shared until")).to_be_visible()
    browser = page.context.browser
    assert browser is not None
    stranger = await browser.new_context(viewport={"width": 1000, "height": 760})
    reading = await stranger.new_page()
    assert address.startswith(f"{server.url}/shared/")
    await reading.goto(address)
    await expect(reading.get_by_text("It works", exact=True)).to_be_visible()
    assert await violations(reading) == []
    await page.get_by_role("button", name="Share", exact=True).click()
    await dialog.get_by_role("button", name="Stop sharing").click()
    await expect(page.get_by_text("Shared until")).to_have_count(0)
    gone = await reading.reload()
    assert gone is not None and gone.status == 404
    await stranger.close()


async def test_from_signing_up_to_an_answer_by_a_key(
    page: Page, server: Server, shoot: Shoot
) -> None:
    console = await sign_up(page, server, "Lovelace")
    await make_agent(page, "Engine")
    await page.get_by_label("Message").fill("/echo It works")
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator(".log .assistant")).to_have_text("It works")

    await page.goto(f"{console}settings/keys/new/")
    await page.get_by_label("Name").fill("app")
    await page.get_by_role("button", name="Create key").click()
    key = await page.locator("#token").inner_text()

    await page.goto(f"{console}agents/engine/connect/")
    await expect(page.get_by_text("Waiting for your first request")).to_be_visible()
    assert await asyncio.to_thread(ask, server, "engine", key) == "Hello"
    await expect(page.get_by_text("Your requests arrive.")).to_be_visible()

    await page.goto(f"{console}conversations/")
    await page.get_by_role("link", name="/echo It works").click()
    await expect(page.get_by_text("whole answer after")).to_be_visible()
    assert await violations(page) == []
    await save_and_share(page, server, shoot)
    await page.goto(console)
    done = page.locator(".steps .done h3")
    await expect(done).to_have_count(4)


async def test_a_draft_is_tried_published_and_taken_back(
    page: Page, server: Server, shoot: Shoot, watched: Watched
) -> None:
    """It is saved while it is written; the chat has it; somebody else's change is not lost."""
    console = await sign_up(page, server, "Byron")
    await make_agent(page, "Poet")
    instructions = page.get_by_label("Instructions")
    await instructions.fill("Answer in verse.\nBe brief.")
    await expect(page.get_by_text("About 7 tokens")).to_be_visible()
    await expect(page.get_by_text("Draft saved")).to_be_visible()
    await expect(page.get_by_text("1 change not published")).to_be_visible()
    await page.get_by_label("Message").fill("/echo Hello")
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator(".log .assistant")).to_have_text("Hello")
    await shoot("console-draft")

    other = await page.context.new_page()
    await other.goto(f"{console}agents/poet/")
    await expect(other.get_by_label("Instructions")).to_have_value("Answer in verse.\nBe brief.")
    await other.get_by_label("Instructions").fill("Theirs.")
    await expect(other.get_by_text("Draft saved")).to_be_visible()
    watched.connections_may_fail = True  # the browser reports the refusal
    await instructions.press("End")
    await instructions.press_sequentially(" Please.")
    await expect(page.get_by_text("Somebody else has changed")).to_be_visible()
    await expect(instructions).to_have_value(re.compile("Please"))
    assert await violations(page) == []
    await shoot("console-draft-conflict")
    await page.get_by_role("button", name="Save mine").click()
    await expect(page.get_by_text("Draft saved")).to_be_visible()

    await page.get_by_role("link", name="Review and publish").click()
    await expect(page.locator("ins", has_text="Answer in verse")).to_be_visible()
    assert await violations(page) == []
    await shoot("console-publish")
    await page.get_by_label("Note").fill("In verse.")
    await page.get_by_role("button", name="Publish").click()
    await expect(page.get_by_role("cell", name="In verse.")).to_be_visible()
    await shoot("console-versions")
    await page.get_by_role("link", name="Version 1").click()
    await shoot("console-version")
    await page.get_by_role("button", name="Roll back to this").click()
    await expect(page.get_by_role("row", name="Version 1 published")).to_be_visible()

    await page.get_by_role("link", name="Model").click()
    await page.wait_for_load_state()
    await page.get_by_role("button", name="Test the model").click()
    await expect(page.get_by_text("demo of demo answered")).to_be_visible()
    assert await violations(page) == []
    await page.get_by_role("button", name="Test the model").scroll_into_view_if_needed()
    await shoot("console-model-test")


async def test_an_agent_goes_when_its_name_is_typed(page: Page, server: Server) -> None:
    console = await sign_up(page, server, "Babbage")
    await make_agent(page, "Mill")
    await page.goto(f"{console}agents/mill/limits/")
    await page.get_by_role("button", name="Delete agent").click()
    confirm = page.locator("#delete").get_by_role("button", name="Delete agent")
    await expect(confirm).to_be_disabled()
    await page.get_by_label("Type mill to confirm").fill("mill")
    await confirm.click()
    await expect(page.get_by_text("No agents yet")).to_be_visible()


async def test_an_organisation_goes_when_its_name_is_typed(page: Page, server: Server) -> None:
    console = await sign_up(page, server, "Somerville")
    await make_agent(page, "Mechanism")
    await page.goto(f"{console}settings/")
    await page.get_by_label("Name").fill("Somerville Ltd")
    await page.get_by_role("button", name="Save").click()
    await page.get_by_role("button", name="Delete organisation").click()
    await page.get_by_label("Type Somerville Ltd to confirm").fill("Somerville Ltd")
    await page.locator("#delete").get_by_role("button", name="Delete organisation").click()
    await expect(page.get_by_text("You belong to no organisation")).to_be_visible()


async def test_a_secret_is_kept_and_deleted(page: Page, server: Server, shoot: Shoot) -> None:
    await page.goto(f"{await sign_up(page, server, 'Noether')}settings/secrets/")
    await page.get_by_role("button", name="New secret").click()
    await page.get_by_label("Name").fill("CRM")
    await page.get_by_label("Value").fill("hush")
    await page.get_by_role("button", name="Keep secret").click()
    await expect(page.get_by_role("cell", name="CRM")).to_be_visible()
    assert await violations(page) == []
    await shoot("console-secrets")
    await page.get_by_role("button", name="Delete").click()
    await page.get_by_label("Type CRM to confirm").fill("CRM")
    await page.get_by_role("button", name="Delete secret").click()
    await expect(page.get_by_text("No secrets yet")).to_be_visible()


async def test_every_page_can_be_used_by_everyone(page: Page, server: Server, shoot: Shoot) -> None:
    """Light and dark, wide and narrow: nothing serious for axe, nothing beside the page."""
    for way_in in ("/", "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/"):
        await page.goto(f"{server.url}{way_in}")
        assert await violations(page) == [], way_in
    console = await sign_up(page, server, "Hopper")
    await make_agent(page, "Helpdesk")
    for scheme, width in (("light", 1280), ("dark", 1280), ("light", 360)):
        await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        await page.set_viewport_size({"width": width, "height": 760})
        for path in PAGES:
            await page.goto(console + path)
            assert await violations(page) == [], (path, scheme, width)
            beside = "document.documentElement.scrollWidth - innerWidth"
            assert await page.evaluate(beside) <= 0, (path, width)
            await shoot(f"console-{path.strip('/').replace('/', '-')}-{scheme}-{width}")


@pytest.mark.parametrize(
    ("letter", "heading"), [("c", "Conversations"), ("k", "API keys"), ("l", "Live")]
)
async def test_sections_are_reached_by_keyboard(
    page: Page, server: Server, letter: str, heading: str
) -> None:
    await page.goto(await sign_up(page, server, f"Keys{letter}"))  # with its scripts
    await page.keyboard.press("g")
    await page.keyboard.press(letter)
    await expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    await page.wait_for_load_state()  # its scripts too
    await page.keyboard.press("?")
    await expect(page.get_by_role("heading", name="Keyboard")).to_be_visible()
