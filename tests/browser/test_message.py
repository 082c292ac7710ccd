"""What can be done with a message that stands in the chat: copy, edit, ask anew, rate it."""

import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.site import Site
from tests.browser.widget import SETTINGS, Widget, embedding, policy, words
from tests.live.server import Server

__all__ = ["SETTINGS"]

THREE = "[[upstream tokens=3]]"


@pytest_asyncio.fixture(loop_scope="session")
async def widget(page: Page, shop: Site, server: Server) -> Widget:
    """The widget, opened on a page of the shop."""
    url = shop.page(embedding(server), content_security_policy=policy(server))
    widget = await Widget.on(page, url)
    await widget.open()
    return widget


async def test_texts_and_code_are_copied(page: Page, widget: Widget) -> None:
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await widget.ask(THREE)
    answer = await widget.answered(words(3))
    await answer.get_by_role("button", name="Copy").click()
    await expect(answer.locator(".icon-check")).to_be_visible()
    await page.wait_for_function(
        "navigator.clipboard.readText().then((text) => text === 'w0 w1 w2 ')"
    )
    html = await page.evaluate(
        """navigator.clipboard.read()
            .then(([item]) => item.getType("text/html"))
            .then((blob) => blob.text())"""
    )
    assert "<p" in html and "w0 w1 w2" in html
    await expect(answer.locator(".icon-copy")).to_be_visible()


async def test_an_edited_question_takes_the_place_of_the_old_one(
    page: Page, widget: Widget
) -> None:
    await widget.ask(f"First {THREE}")
    await widget.answered(words(3))
    await widget.ask(f"Second {THREE}")
    await widget.answered(words(3), count=2)
    await widget.questions.first.hover()
    await widget.questions.first.get_by_role("button", name="Edit").click()
    await expect(page.get_by_text("Editing a message.")).to_be_visible()
    await expect(widget.input).to_have_value(f"First {THREE}")
    await widget.ask("Edited [[upstream tokens=4]]")
    await widget.answered(words(4))
    await expect(widget.questions).to_have_count(1)
    await page.reload()
    await widget.answered(words(4))
    await expect(widget.questions).to_have_text(["You:Edited [[upstream tokens=4]]2/2"])


async def test_a_draft_waits_while_a_message_is_edited(page: Page, widget: Widget) -> None:
    await widget.ask(THREE)
    await widget.answered(words(3))
    await widget.input.fill("A long draft")
    edit = widget.questions.last.get_by_role("button", name="Edit")
    await edit.press("Enter")
    await expect(widget.input).to_have_value(THREE)
    await page.keyboard.press("Escape")
    await expect(widget.input).to_have_value("A long draft")
    await expect(page.get_by_text("Editing a message.")).to_be_hidden()
    await edit.press("Enter")
    await widget.ask("Edited [[upstream tokens=4]]")
    await widget.answered(words(4))
    await expect(widget.input).to_have_value("A long draft")


async def test_an_answer_can_be_had_anew(page: Page, widget: Widget) -> None:
    await widget.ask(THREE)
    answer = await widget.answered(words(3))
    await answer.get_by_role("button", name="Answer again").click()
    await widget.settled()
    await widget.answered(words(3))
    await expect(widget.questions).to_have_count(1)


async def test_earlier_versions_are_shown_with_their_answers(page: Page, widget: Widget) -> None:
    await widget.ask("One [[upstream tokens=1]]")
    await widget.answered(words(1))
    await widget.questions.last.get_by_role("button", name="Edit").press("Enter")
    await widget.ask("Two [[upstream tokens=2]]")
    await widget.answered(words(2))
    await widget.ask(THREE)
    await widget.answered(words(3), 2)
    version = page.locator(".versions")
    await expect(version).to_have_text("2/2")
    await version.get_by_role("button", name="Earlier version").press("Enter")
    await expect(widget.questions.locator(".body")).to_have_text(["One [[upstream tokens=1]]"])
    await expect(widget.answers.locator(".body")).to_have_text([words(1)])
    await expect(widget.answers.get_by_role("button", name="Answer again")).to_have_count(0)
    await expect(version).to_have_text("1/2")
    await expect(version.get_by_role("button", name="Later version")).to_be_focused()
    await page.reload()  # and what stands there is the conversation
    await expect(widget.answers).to_have_count(2)
    await expect(version).to_have_text("2/2")
    await version.get_by_role("button", name="Earlier version").click()
    await widget.ask(THREE)
    await widget.answered(words(3), 3)


async def test_feedback_is_kept(page: Page, widget: Widget) -> None:
    await widget.ask(THREE)
    answer = await widget.answered(words(3))
    async with page.expect_response("**/feedback") as saved:
        await answer.get_by_role("button", name="Good answer").click()
    assert (await saved.value).ok
    await page.reload()
    answer = await widget.answered(words(3))
    good = answer.get_by_role("button", name="Good answer")
    await expect(good).to_have_attribute("aria-pressed", "true")
    async with page.expect_response("**/feedback") as taken_back:
        await good.click()
    assert (await taken_back.value).ok
    await expect(good).to_have_attribute("aria-pressed", "false")


async def test_who_rates_may_say_why(page: Page, widget: Widget) -> None:
    await widget.ask(THREE)
    answer = await widget.answered(words(3))
    await answer.get_by_role("button", name="Good answer").click()
    why = answer.get_by_role("textbox")
    await expect(why).to_have_accessible_name("What was good? (optional)")
    await answer.get_by_role("button", name="Bad answer").click()
    await expect(why).to_have_accessible_name("What was wrong? (optional)")
    await why.fill("Not the shoes that I meant")
    async with page.expect_response(lambda got: "meant" in (got.request.post_data or "")) as saved:
        await why.press("Enter")
    said = (await (await saved.value).json())["feedback"]
    assert said == {"rating": "down", "comment": "Not the shoes that I meant"}
    await expect(why).to_have_count(0)
    await expect(answer.get_by_role("button", name="Bad answer")).to_be_focused()
    await expect(page.locator(".unseen[aria-live] p").last).to_have_text("Thank you.")
    await page.reload()
    await widget.answered(words(3))
    await expect(why).to_have_count(0)
