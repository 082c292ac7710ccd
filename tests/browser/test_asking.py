"""Approvals and questions of an agent, in the panel without a server."""

import json
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Shoot
from tests.browser.payloads import MARK, PAYLOADS
from tests.browser.site import Site
from tests.browser.test_accessibility import announced, violations
from tests.browser.test_panel import FRAMES, PAGE

IN_A_DAY = "new Date(Date.now() + 86_300_000).toISOString()"
ARGS = {"room": "Blue"}


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def opened(page: Page, site: Site) -> None:
    await page.goto(site.page(PAGE))
    await page.wait_for_function("window.talk")


def approval(number: int = 1, **fields: Any) -> dict[str, Any]:
    """A call that waits for approval."""
    call = {"kind": "approval", "id": f"call_{number}", "tool": "book_room", "args": ARGS}
    return call | {"argsDigest": "sha256:0", "approvers": "visitor"} | fields


def question(**fields: Any) -> dict[str, Any]:
    """A question that waits for its answer."""
    return {"kind": "question", "id": "call_9", "text": "Which day?"} | fields


def use(call: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The same call among the tools of a message."""
    return {
        "id": call["id"],
        "tool": call.get("tool", "ask_user"),
        "args": call.get("args", {}),
    } | fields


async def wait(page: Page, *pending: dict[str, Any], **fields: Any) -> None:
    """An answer has come to wait for these, which expire in a day."""
    await page.evaluate(
        f"""(fields) => {{
            for (const call of fields.pending) call.expiresAt ??= {IN_A_DAY};
            talk.begin({{ status: "waiting", content: "I will book it.", ...fields }});
        }}""",
        {"pending": pending, "tools": [use(call) for call in pending]} | fields,
    )


async def change(page: Page, **fields: Any) -> None:
    """The last message has become so."""
    await page.evaluate("(fields) => talk.change(fields)", fields)


async def decisions(page: Page) -> Any:
    return await page.evaluate("talk.decisions")


def asks(page: Page) -> Locator:
    return page.locator(".card.ask")


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


async def test_it_works(page: Page) -> None:
    """directus 26839: what waits is seen at once, whole, with who decides and until when."""
    await wait(page, approval())
    ask = page.get_by_role("group", name="May the assistant use “book_room”?")
    await expect(ask.locator("pre")).to_have_text('{\n  "room": "Blue"\n}')
    await expect(ask).to_contain_text("You decide, or a member of the team. Expires in 24 hours.")
    await expect(page.get_by_role("log")).to_have_attribute("aria-busy", "false")
    await expect(page.locator(".card.tool")).to_have_count(0)
    await button(page, "Approve").click()
    assert await decisions(page) == [["call_1", {"approve": True}]]
    decided = {"approved": True, "by": {"kind": "visitor"}}
    await change(page, pending=[], tools=[use(approval(), approval=decided)], status="streaming")
    await expect(asks(page)).to_have_count(0)
    await expect(page.locator(".card.tool summary")).to_contain_text("Approved")


async def test_a_decision_is_sent_once(page: Page) -> None:
    """vercel/ai 6123 (sent twice), assistant-ui 7079 (a second one while the first is going)."""
    await wait(page, approval())
    await button(page, "Approve").dblclick()
    await button(page, "Deny").click(force=True)
    assert len(await decisions(page)) == 1
    await expect(button(page, "Deny")).to_have_attribute("aria-disabled", "true")


async def test_a_denial_says_why(page: Page) -> None:
    await wait(page, approval())
    await page.get_by_role("textbox", name="Reason (optional)").fill(" Too dear ")
    await page.keyboard.press("Enter")
    assert await decisions(page) == []  # Enter decides nothing
    await button(page, "Deny").click()
    assert await decisions(page) == [["call_1", {"approve": False, "reason": "Too dear"}]]
    await change(page, pending=[], tools=[])  # as for visitors without `showTools`
    await expect(asks(page)).to_have_text("May the assistant use “book_room”?Denied: Too dear")


async def test_each_of_several_is_decided_on_its_own(page: Page) -> None:
    """CopilotKit 2809: of parallel calls only the first could be answered."""
    await wait(page, approval(1), approval(2, args={"room": "Red"}), approval(3))
    await expect(asks(page)).to_have_count(3)
    await asks(page).nth(1).get_by_role("button", name="Deny").click()
    await asks(page).nth(0).get_by_role("button", name="Approve").click()
    assert [id for id, _ in await decisions(page)] == ["call_2", "call_1"]
    await expect(asks(page).nth(2).get_by_role("button", name="Approve")).to_be_enabled()


async def test_what_is_editable_can_be_changed(page: Page) -> None:
    await wait(page, approval(editable=True))
    await button(page, "Change the input").click()
    area = page.get_by_role("textbox", name="Input")
    await expect(area).to_be_focused()
    await area.fill("[1]")
    await button(page, "Approve").click()
    await expect(page.locator(".ask .problem")).to_have_text("This is not a JSON object.")
    assert await decisions(page) == []
    await area.fill('{"room": "Green"}')
    await button(page, "Approve").click()
    assert await decisions(page) == [["call_1", {"approve": True, "args": {"room": "Green"}}]]


@pytest.mark.parametrize(
    ("code", "told", "again"),
    [
        ("network_error", "The server could not be reached.", True),
        ("already_decided", "This has been decided already.", False),
    ],
)
async def test_a_decision_that_failed(page: Page, code: str, told: str, again: bool) -> None:
    """vercel/ai 5023: nothing happened after it, and nothing said so."""
    await wait(page, approval())
    await page.evaluate("(code) => (talk.refusal = code)", code)
    await button(page, "Approve").click()
    await expect(page.locator(".ask").get_by_role("alert")).to_have_text(told)
    await button(page, "Approve").click(force=True)
    assert len(await decisions(page)) == (2 if again else 1)


async def test_members_decide_for_themselves(page: Page) -> None:
    await wait(page, approval(approvers="members"))
    await expect(asks(page)).to_contain_text("A member of the team decides.")
    await expect(asks(page).get_by_role("button")).to_have_count(0)


@pytest.mark.parametrize(("cancelled", "told"), [(False, "decided already"), (True, "not needed")])
async def test_what_somebody_else_has_ended(page: Page, cancelled: bool, told: str) -> None:
    """In another tab, or with the answer."""
    await wait(page, approval(), tools=[])
    await asks(page).get_by_role("textbox").focus()
    ending = {"status": "cancelled", "streaming": False} if cancelled else {}
    await change(page, pending=[], **ending)
    await expect(asks(page)).to_contain_text(told)
    await expect(asks(page)).to_be_focused()  # not nowhere


async def test_a_question_with_choices(page: Page) -> None:
    await wait(page, question(choices=["Monday", "Tuesday"]))
    await page.get_by_role("group", name="Which day?").get_by_text("Tuesday").click()
    assert await decisions(page) == [["call_9", "Tuesday"]]
    answered = use(question(), args={"text": "Which day?"}, result="Tuesday", isError=False)
    await change(page, pending=[], tools=[answered])
    await expect(page.locator(".card.tool summary")).to_contain_text("Which day?")
    await expect(page.locator(".card.tool .verdict")).to_have_text("Tuesday")


@pytest.mark.parametrize("fields", [{}, {"choices": ["Monday", "Tuesday"]}])
async def test_a_question_is_skipped(page: Page, fields: dict[str, Any]) -> None:
    await wait(page, question(**fields))
    await page.get_by_role("button", name="Skip").focus()
    await page.keyboard.press("Enter")
    assert await decisions(page) == [["call_9"]]
    skipped = use(question(), args={"text": "Which day?"}, result="Not now.", isError=True)
    await change(page, pending=[], tools=[skipped])
    card = page.locator(".card.tool")
    await expect(card.locator("summary")).to_contain_text("Which day?")
    await expect(card.locator(".verdict")).to_have_text("Not answered")


async def test_a_question_without_choices(page: Page) -> None:
    await wait(page, question(), tools=[])
    await page.get_by_role("textbox", name="Your answer").fill("$& on Friday")
    await page.keyboard.press("Enter")
    assert await decisions(page) == [["call_9", "$& on Friday"]]
    await change(page, pending=[])
    await expect(asks(page)).to_contain_text("You answered: $& on Friday")


async def test_a_question_with_a_form(page: Page) -> None:
    """As MCP servers ask: each field by its name, with its default; empty ones are left out."""
    fields = {
        "name": {"type": "string", "title": "Your name"},
        "size": {"type": "string", "enum": ["S", "L"], "default": "L"},
        "count": {"type": "integer", "description": "How many"},
        "gift": {"type": "boolean", "default": True},
        "note": {"type": "string"},
    }
    await wait(
        page, question(schema={"type": "object", "properties": fields, "required": ["name"]})
    )
    await page.get_by_label("Your name").fill("Ada")
    await page.get_by_label("count").fill("2")
    assert await violations(page) == []
    await page.get_by_label("Your name").press("Enter")
    ((id, answer),) = await decisions(page)
    assert id == "call_9"
    assert json.loads(answer) == {"name": "Ada", "size": "L", "count": 2, "gift": True}


async def test_what_waits_survives(page: Page) -> None:
    """What was shown is there again when the conversation is, and not twice (vercel/ai 8854)."""
    await wait(page, approval(), question())
    await expect(asks(page)).to_have_count(2)
    await page.evaluate("panel.apply({ kind: 'reset' })")
    await page.evaluate(FRAMES)
    await expect(asks(page)).to_have_count(2)
    await page.evaluate("talk.messages = talk.messages.map((each) => ({ ...each }))")
    await page.evaluate("panel.show(talk)")
    await expect(asks(page)).to_have_count(2)
    await expect(page.locator(".message.assistant")).to_have_count(1)
    await button(page, "Approve").click()
    assert await decisions(page) == [["call_1", {"approve": True}]]


async def test_what_is_written_survives_other_events(page: Page) -> None:
    """Events of other calls do not take away what the reader is writing."""
    await wait(page, approval(), question())
    line = page.get_by_role("textbox", name="Your answer")
    await line.fill("On Mon")
    await change(page, pending=[question()], progress={"message": "Working", "stage": "x"})
    await expect(asks(page)).to_have_count(1)
    await expect(line).to_be_focused()
    await expect(line).to_have_value("On Mon")


async def test_everything_by_keyboard_and_said_aloud(page: Page) -> None:
    await wait(page, approval())
    await page.evaluate("panel.notices.event({ type: 'approval_required', tool: 'book_room' }, [])")
    await page.evaluate("panel.notices.event({ type: 'question', text: 'Which day?' }, [])")
    await expect(page.locator(".unseen[aria-live] p")).to_have_count(2)
    assert await announced(page) == ["May the assistant use “book_room”?", "Which day?"]
    await asks(page).focus()
    for _ in range(3):
        await page.keyboard.press("Tab")
    await expect(button(page, "Approve")).to_be_focused()
    await page.keyboard.press("Enter")
    assert await decisions(page) == [["call_1", {"approve": True}]]
    await expect(button(page, "Approve")).to_be_focused()
    decided = {"approved": True, "by": {"kind": "visitor"}}
    await change(page, pending=[], tools=[use(approval(), approval=decided)])
    await expect(page.locator(".card.tool summary")).to_be_focused()


async def test_what_is_asked_is_text(page: Page) -> None:
    calls = [
        approval(number, tool=text, args={text: text}) for number, text in enumerate(PAYLOADS)
    ] + [question(id=text, text=text, choices=[text]) for text in PAYLOADS]
    await wait(page, *calls, tools=[])
    await expect(asks(page)).to_have_count(len(calls))
    assert not await page.evaluate(f"'{MARK}' in window")
    assert await page.locator("#host :is(img, script, iframe, style, base)").count() == 0


async def test_all_of_what_is_approved_is_shown(page: Page) -> None:
    """P32: nothing hides at the end of long arguments, or behind characters that turn text."""
    await wait(page, approval(args={"note": "x" * 50_000, "then": "pay\u202e1"}))
    await expect(asks(page).locator("pre")).to_contain_text('"then": "pay\\u202e1"')


@pytest.mark.parametrize(
    ("scheme", "width"), [("light", 1000), ("dark", 1000), ("light", 360), ("dark", 360)]
)
async def test_axe_and_looks(page: Page, scheme: str, width: int, shoot: Shoot) -> None:
    await page.set_viewport_size({"width": width, "height": 760})
    await page.evaluate(f"document.documentElement.style.colorScheme = '{scheme}'")
    await page.evaluate("talk.say('Book me a room')")
    choices = ["Monday", "Tuesday", "Any day of the week after next, if the blue room is free then"]
    fields = {
        "name": {"type": "string", "title": "Name", "description": "As on the passport"},
        "size": {"enum": ["S", "M"], "default": "M"},
        "nights": {"type": "integer"},
        "gift": {"type": "boolean"},
    }
    form = question(id="call_8", text="For whom?", schema={"type": "object", "properties": fields})
    line = question(id="call_7", text="What else?")
    await wait(page, approval(editable=True), question(choices=choices), form, line)
    await expect(asks(page)).to_have_count(4)
    await page.wait_for_function("root.querySelector('.body p')")
    assert await violations(page) == []
    over = await page.locator(".content").evaluate("(all) => all.scrollWidth - all.clientWidth")
    assert over <= 0
    await shoot(f"asking-{scheme}-{width}")
