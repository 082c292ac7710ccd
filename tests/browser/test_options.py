"""What a page and an agent may settle about a chat (docs/widget.md): looks, and what it offers."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Shoot
from tests.browser.site import Site
from tests.browser.widget import SETTINGS, Widget, embedding, policy, words
from tests.live.server import Server
from tests.live.visiting import open_to_visitors

__all__ = ["SETTINGS"]

THREE = "[[upstream tokens=3]]"
PICTURE = (
    "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHZpZXdCb3g9IjAgMC"
    "A4IDgiPjxyZWN0IHdpZHRoPSI4IiBoZWlnaHQ9IjgiIGZpbGw9InRvbWF0byIvPjwvc3ZnPg=="
)
NEVER = {"open": [], "timeZone": "Europe/Berlin"}
LISTENING = """
from agents.models import Agent
from webhooks.models import Webhook
organization = Agent.objects.get(slug="demo").organization
Webhook.objects.create(
    organization=organization, url="http://127.0.0.1:9/", events=["contact:message"], secret="x")
"""
DELIVERED = "from webhooks.models import Delivery; print(Delivery.objects.get().body)"
HEAR = """(chat, type) => {
    window.heard = [];
    chat.addEventListener(type, (event) => { event.preventDefault(); heard.push(event.detail); });
}"""


async def chat_of(
    page: Page, shop: Site, server: Server, settings: dict[str, Any], **attributes: str
) -> Widget:
    """A page of the shop whose script settles this, before the chat is there."""
    html = embedding(server, **attributes)
    url = shop.page(html, content_security_policy=policy(server))
    settle = f"document.querySelector('claw-chat').settings = {json.dumps(settings)}"
    await page.add_init_script(
        f"document.addEventListener('DOMContentLoaded', () => setTimeout(() => {{ {settle} }}))"
    )
    return await Widget.on(page, url)


async def test_it_works(page: Page, shop: Site, server: Server, shoot: Shoot) -> None:
    """An attribute comes before the page's settings, and these before the agent's."""
    agents = {"accent": "#123456", "position": "left", "launcherText": "From the agent"}
    open_to_visitors(server, "demo", widget=agents | {"headerColor": "#0a7d55", "logo": PICTURE})
    settings = {"position": "top-left", "launcherText": "From the page", "avatar": PICTURE}
    attributes = {"agent": "demo", "launcher-text": "Help", "accent": "#ffd400"}
    widget = await chat_of(page, shop, server, settings, **attributes)
    launcher = page.get_by_role("button", name="Help. Open chat")
    await expect(launcher).to_have_css("background-color", "rgb(255, 212, 0)")
    box = await launcher.bounding_box()
    assert box and box["x"] == 20 and box["y"] == 20
    await shoot("options-launcher")
    await launcher.click()
    header = page.locator("header").first
    await expect(header).to_have_css("background-color", "rgb(10, 125, 85)")
    await expect(header).to_have_css("color", "color(srgb-linear 1 1 1)")
    await expect(header.get_by_role("img", name="demo")).to_be_visible()
    panel = await page.locator(".panel").bounding_box()
    assert panel and panel["x"] == 20 and panel["y"] == 88
    await shoot("options-looks")
    await widget.call("chat.setAttribute('accent', '#000')")
    await expect(page.locator(".launcher")).to_have_css("background-color", "rgb(0, 0, 0)")
    open_to_visitors(server, "demo", widget={})


async def test_a_picture_that_cannot_be_had_leaves_its_text(
    page: Page, shop: Site, server: Server, watched: Any
) -> None:
    watched.connections_may_fail = True
    widget = await chat_of(page, shop, server, {"logo": "data:image/png;base64,AAAA"})
    await widget.open()
    await expect(page.locator(".title")).to_have_text("acme-agent")


async def test_own_texts(page: Page, shop: Site, server: Server) -> None:
    texts = {
        "placeholder": "Ask our shop",
        "en": {"errors.other": "Oh dear"},
        "es": {"open": "Hola"},
    }
    widget = await chat_of(
        page, shop, server, {"texts": texts | {"__proto__.x": "y", "lang": "en"}}
    )
    await widget.open()
    await expect(widget.input).to_have_attribute("placeholder", "Ask our shop")


async def test_a_greeting_for_some_pages(page: Page, shop: Site, server: Server) -> None:
    greetings = [
        {"page": "/offers*", "greeting": "No"},
        {"page": "/", "greeting": "At home", "prompts": ["Is it warm?"]},
    ]
    await (await chat_of(page, shop, server, {"greetings": greetings})).open()
    await expect(page.locator(".greeting")).to_have_text("At home")
    await expect(page.locator(".prompts button")).to_have_text(["Is it warm?"])


async def test_a_bubble_comes_with_time_and_stays_away_when_it_was_closed(
    page: Page, shop: Site, server: Server
) -> None:
    bubble = {"text": "May I help?", "delaySeconds": 0}
    widget = await chat_of(page, shop, server, {"bubble": bubble})
    shown = page.locator(".bubble")
    await expect(shown).to_be_visible()
    await shown.get_by_role("button", name="Close").click()
    await page.reload()
    await widget.ready()
    await widget.call("chat.showBubble('Another one')")
    await expect(shown).to_have_text("Another one")
    await shown.get_by_role("button", name="Another one").click()
    await expect(page.locator(".panel")).to_be_visible()
    await expect(shown).to_have_count(0)


async def test_a_bubble_comes_with_the_depth_of_the_page(
    page: Page, shop: Site, server: Server
) -> None:
    high = "document.body.style.height = '5000px'"
    await page.add_init_script(f"document.addEventListener('DOMContentLoaded', () => {high})")
    await chat_of(page, shop, server, {"bubble": {"text": "Still here?", "scrollPercent": 80}})
    await expect(page.locator(".bubble")).to_have_count(0)
    await page.evaluate("scrollTo(0, 4500)")
    await expect(page.locator(".bubble")).to_be_visible()


async def test_nothing_is_sent_before_consent(page: Page, shop: Site, server: Server) -> None:
    consent = {"text": "We keep what you write.", "privacyUrl": "/privacy"}
    widget = await chat_of(page, shop, server, {"consent": consent, "disclaimer": "May be wrong."})
    await expect(page.locator(".consent")).to_be_attached()
    assert await widget.call(f"chat.send('{THREE}')") is False
    agree = page.get_by_role("button", name="I agree")
    await expect(agree).to_be_visible()
    await expect(page.get_by_role("link", name="Privacy")).to_have_attribute("href", "/privacy")
    await expect(widget.input).to_be_hidden()
    await expect(widget.questions).to_have_count(0)
    await agree.click()
    await widget.answered(words(3))
    await expect(page.get_by_text("May be wrong.")).to_be_visible()
    await page.reload()
    await widget.ready()
    await expect(widget.input).to_be_visible()


async def test_what_one_could_ask_next(page: Page, shop: Site, server: Server) -> None:
    follow_ups = [f"One {THREE}", f"Two {THREE}"]
    widget = await chat_of(page, shop, server, {"followUps": follow_ups})
    await widget.open()
    group = page.locator(".follow-ups")
    await expect(group).to_be_hidden()
    await widget.ask(THREE)
    await widget.answered(words(3))
    await group.get_by_role("button", name="One").click()
    await widget.answered(words(3), 2)
    await expect(group.get_by_role("button")).to_have_text([follow_ups[1]])


async def test_texts_are_written_by_their_names(page: Page, shop: Site, server: Server) -> None:
    prompts = [{"name": "order", "text": "Where is it?"}, {"name": "offers", "text": "Which?"}]
    widget = await chat_of(page, shop, server, {"slashPrompts": prompts})
    await widget.open()
    field = page.get_by_role("combobox", name="Message")
    await field.press_sequentially("/O")
    await expect(page.get_by_role("option")).to_have_count(2)
    await field.press("ArrowDown")
    await expect(page.get_by_role("option", selected=True)).to_contain_text("/offers")
    await field.press("Enter")
    await expect(field).to_have_value("Which?")
    await expect(page.get_by_role("listbox")).to_be_hidden()
    await field.fill("/echo something else")
    await expect(page.get_by_role("listbox")).to_be_hidden()


async def test_outside_of_the_hours_one_can_leave_a_message(
    page: Page, shop: Site, server: Server
) -> None:
    hours = NEVER | {"form": True, "email": "help@example.com", "text": "Back on Monday."}
    widget = await chat_of(page, shop, server, {"hours": hours})
    await widget.host.evaluate(HEAR, "claw:contact")
    await widget.open()
    await expect(page.get_by_text("Back on Monday.")).to_be_visible()
    await page.get_by_text("Write to us").click()
    await page.get_by_label("E-mail").fill("ada@example.com")
    await page.locator(".hours textarea").fill("Call me")
    await page.locator(".hours").get_by_role("button", name="Send").click()
    await expect(page.get_by_text("Thank you. We will get back to you.")).to_be_visible()
    said = {"name": "", "email": "ada@example.com", "message": "Call me"}
    assert await page.evaluate("heard") == [said]


async def test_what_is_written_outside_of_the_hours_reaches_webhooks(
    page: Page, shop: Site, server: Server, watched: Any
) -> None:
    """Where nobody takes it that is said, and it can be sent again."""
    watched.connections_may_fail = True
    open_to_visitors(server, "demo", widget={"hours": NEVER | {"form": True}})
    widget = await chat_of(page, shop, server, {}, agent="demo")
    await widget.open()
    await page.get_by_text("Write to us").click()
    form = page.locator(".hours form")
    await form.get_by_label("E-mail").fill("ada@example.com")
    await form.get_by_label("Message").fill("Call me")
    await form.get_by_role("button", name="Send").click()
    await expect(form.get_by_role("alert")).to_have_text("Something went wrong on our side.")
    # To this machine, which the server does not connect to: it stays in the log of deliveries.
    server.manage("shell", "-v0", "-c", LISTENING)
    await form.get_by_role("button", name="Send").click()
    await expect(page.get_by_text("Thank you. We will get back to you.")).to_be_visible()
    assert '"message":"Call me"' in server.manage("shell", "-v0", "-c", DELIVERED)
    open_to_visitors(server, "demo", widget={})


async def test_the_conversation_comes_by_mail(page: Page, shop: Site, server: Server) -> None:
    open_to_visitors(server, "demo", widget={"transcriptEmail": True})
    widget = await chat_of(page, shop, server, {}, agent="demo")
    await widget.open()
    await widget.ask("/echo Hello")
    await widget.answered("Hello")
    await page.get_by_role("button", name="More").click()
    await page.get_by_role("button", name="E-mail the conversation").click()
    await page.get_by_label("E-mail the conversation").fill("ada@example.com")
    await page.locator(".rating").get_by_role("button", name="Send").click()
    await expect(page.get_by_text("It is on its way to ada@example.com.")).to_be_visible()
    assert "Mail to ada@example.com: Your conversation with demo" in server.log
    open_to_visitors(server, "demo", widget={})


@pytest.mark.parametrize(
    ("moment", "open_"),
    [
        ("2026-11-30T08:30:00Z", True),  # Monday, half past nine in Berlin
        ("2026-11-30T07:59:00Z", False),
        ("2026-11-30T17:00:00Z", False),
        ("2026-11-29T10:00:00Z", False),
        ("2026-12-05T21:30:00Z", True),  # Saturday night
        ("2026-12-06T00:30:00Z", True),
        ("2026-12-06T01:30:00Z", False),
    ],
)
async def test_hours_are_those_of_the_time_zone(
    page: Page, site: Site, moment: str, open_: bool
) -> None:
    await page.goto(site.page("<title>Hours</title>"))
    week = [
        {"days": [1, 2, 3, 4, 5], "opens": "09:00", "closes": "18:00"},
        {"days": [6], "opens": "22:00", "closes": "02:00"},
    ]
    script = """async ([hours, moment]) => {
        const { isOpen } = await import("/static/claw/widget/options/people/hours.js");
        return isOpen(hours, new Date(moment));
    }"""
    hours = {"open": week, "timeZone": "Europe/Berlin"}
    assert await page.evaluate(script, [hours, moment]) is open_


async def test_the_conversation_is_saved_as_a_file(page: Page, shop: Site, server: Server) -> None:
    widget = await chat_of(page, shop, server, {"transcript": True})
    await widget.open()
    await widget.ask(THREE)
    await widget.answered(words(3))
    await page.get_by_role("button", name="More").click()
    async with page.expect_download() as saved:
        await page.get_by_role("button", name="Download the conversation").click()
    download = await saved.value
    assert download.suggested_filename == "chat.txt"
    text = await asyncio.to_thread(Path(await download.path()).read_text)
    assert f"You: {THREE}\n" in text
    assert "Answer: w0 w1 w2" in text


async def test_the_title_counts_what_was_not_seen(page: Page, shop: Site, server: Server) -> None:
    widget = await chat_of(page, shop, server, {"unreadTitle": True, "sound": True})
    await widget.call(f"chat.send('{THREE}')")
    await expect(page).to_have_title("(1) Shop", timeout=20_000)
    await page.get_by_role("button", name="Open chat").click()
    await expect(page).to_have_title("Shop")
    await page.get_by_role("button", name="More").click()
    sound = page.get_by_role("button", name="Sound for new answers")
    await expect(sound).to_have_attribute("aria-pressed", "true")
    await sound.click()
    await page.get_by_role("button", name="More").click()
    await expect(sound).to_have_attribute("aria-pressed", "false")


async def test_it_is_as_large_as_its_reader_wants(page: Page, shop: Site, server: Server) -> None:
    widget = await chat_of(page, shop, server, {"resizable": True})
    await widget.open()
    panel = page.locator(".panel")
    before = await panel.bounding_box()
    assert before
    await page.mouse.move(before["x"] + 5, before["y"] + 5)
    await page.mouse.down()
    await page.mouse.move(before["x"] - 95, before["y"] + 45)
    await page.mouse.up()
    after = await panel.bounding_box()
    assert after and after["width"] == before["width"] + 100
    large = page.get_by_role("button", name="Whole window")
    await large.click()
    await expect(large).to_have_attribute("aria-pressed", "true")
    whole = await panel.bounding_box()
    assert whole and whole["width"] == 960
    await page.reload()
    await widget.ready()
    await expect(large).to_have_attribute("aria-pressed", "true")


async def test_who_leaves_a_conversation_is_asked_how_it_was(
    page: Page, shop: Site, server: Server
) -> None:
    widget = await chat_of(page, shop, server, {"rating": True})
    await widget.open()
    await widget.ask(THREE)
    await widget.answered(words(3))
    await page.get_by_role("button", name="New conversation").click()
    await page.get_by_label("4 of 5").check(force=True)
    await page.get_by_label("Anything to add?").fill("Quick")
    async with page.expect_response("**/rating") as saved:
        await page.locator(".rating").get_by_role("button", name="Send").click()
    assert (await (await saved.value).json())["rating"] == {"rating": 4, "comment": "Quick"}
    await expect(page.locator(".rating")).to_contain_text("Thank you.")
