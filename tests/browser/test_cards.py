"""Cards of a message: tool calls and sources, in the panel without a server."""

import json
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Shoot
from tests.browser.payloads import MARK, PAYLOADS
from tests.browser.site import Site
from tests.browser.test_accessibility import violations
from tests.browser.test_panel import DISTANCE, FRAMES, PAGE, PARAGRAPHS

TEXTS = "(all) => all.map((each) => each.textContent)"
TOP = "(element) => element.getBoundingClientRect().top"
SOURCES = [
    {"documentId": "doc_1", "title": "Returns", "url": "https://shop.example/returns"},
    {"documentId": "doc_2", "title": "Terms", "excerpt": "Goods may be returned in 30 days."},
]


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def opened(page: Page, site: Site) -> None:
    await page.goto(site.page(PAGE))
    await page.wait_for_function("window.talk")


def call(number: int = 1, **fields: Any) -> dict[str, Any]:
    """A tool call, without a result unless `fields` have it."""
    return {"id": f"call_{number}", "tool": "search_orders", "args": {"order": number}} | fields


def ended(number: int = 1, result: Any = "Found.", **fields: Any) -> dict[str, Any]:
    """A tool call with its result."""
    return call(number, result=result, durationMs=1234, isError=False, **fields)


async def change(page: Page, **fields: Any) -> None:
    """The last message has become so."""
    await page.evaluate("(fields) => talk.change(fields)", fields)


async def begin(page: Page, *tools: dict[str, Any]) -> None:
    """An answer is coming, with these calls."""
    await page.evaluate("(fields) => talk.begin(fields)", {"tools": tools})


def cards(page: Page) -> Locator:
    """The tool calls that are shown."""
    return page.locator(".card.tool")


async def test_it_works(page: Page) -> None:
    """A call is a line that tells how it went, and opens with the keyboard."""
    await begin(page, call())
    card = cards(page)
    await expect(card).to_have_attribute("data-state", "working")
    await expect(card.locator("summary")).to_contain_text("search_orders")
    await expect(card.locator("pre").first).to_be_hidden()
    await change(page, tools=[ended(result={"open": True})])
    await expect(card).to_have_attribute("data-state", "done")
    await expect(card.locator(".time")).to_have_text("1.2 sec")
    await card.locator("summary").focus()
    await page.keyboard.press("Enter")
    await expect(card.locator("pre")).to_have_count(2)
    shown = await card.locator("pre").evaluate_all(TEXTS)
    assert [json.loads(text) for text in shown] == [{"order": 1}, {"open": True}]
    await page.keyboard.press("Tab")
    await expect(card.get_by_role("group", name="Input")).to_be_focused()


async def test_the_page_shows_a_result_in_its_own_way(page: Page) -> None:
    """Once for each result; a card that the page leaves alone stays."""
    await page.evaluate(
        """() => {
            window.told = [];
            document.addEventListener("claw:tool", (event) => {
                const { tool, element } = event.detail;
                told.push(tool.id);
                if (tool.result !== "Boots") return;
                event.preventDefault();
                element.append("89 €");
            });
        }"""
    )
    await begin(page, call(1), call(2))
    await change(page, tools=[ended(1, "Boots"), call(2)])
    await expect(page.locator(".cards .own")).to_have_text("89 €")
    await expect(cards(page).first).to_be_hidden()
    await change(page, tools=[ended(1, "Boots"), ended(2)])
    await expect(cards(page).last).to_have_attribute("data-state", "done")
    await expect(cards(page).last).to_be_visible()
    await expect(page.locator(".cards .own")).to_have_text("89 €")
    assert await page.evaluate("told") == ["call_1", "call_2"]


async def test_what_is_open_grows_its_result(page: Page) -> None:
    await begin(page, call())
    await cards(page).locator("summary").click()
    await expect(cards(page).locator("pre")).to_have_count(1)
    await change(page, tools=[ended()])
    await expect(cards(page).locator("pre").last).to_have_text("Found.")
    await expect(cards(page)).to_have_attribute("open", "")


async def test_calls_of_one_tool_have_their_own_results(page: Page) -> None:
    """CopilotKit 3041 (only the first was shown) and 3741 (all showed the last result)."""
    await begin(page, *[call(number) for number in range(5)])
    await change(page, tools=[ended(n, result=f"Order {n}") for n in range(5)])
    await expect(cards(page)).to_have_count(5)
    for card in await cards(page).all():
        await card.locator("summary").click()
    results = page.locator(".tool .value:last-child pre")
    await expect(results).to_have_text([f"Order {number}" for number in range(5)])


@pytest.mark.parametrize("fields", [{"tools": [ended(result="No.") | {"isError": True}]}, {}])
async def test_no_call_works_for_ever(page: Page, fields: dict[str, Any]) -> None:
    """CopilotKit 1455: a call that failed, or an answer that ended without its result."""
    await begin(page, call())
    await expect(cards(page)).to_have_attribute("data-state", "working")
    await page.evaluate("(fields) => talk.end({ status: 'cancelled', ...fields })", fields)
    await expect(cards(page)).to_have_attribute("data-state", "failed" if fields else "ended")
    told = "Failed" if fields else "Not finished"
    await expect(cards(page).locator("summary")).to_contain_text(told)


async def test_quick_calls_do_not_flicker(page: Page) -> None:
    """CopilotKit 3360: no spinner is seen in the first moment."""
    await begin(page, call())
    icon = page.locator(".tool .sign .icon")
    await expect(icon).to_be_attached()
    delays = await icon.evaluate("(icon) => getComputedStyle(icon).animationDelay")
    assert "0.15s" in delays


async def test_a_huge_result_is_cut_and_says_so(page: Page) -> None:
    """odysseus 2869 (30 kB froze the page), llm-canvas 28 (cut without a word)."""
    await begin(page, call())
    await page.evaluate(
        "(tool) => talk.change({ tools: [{ ...tool, result: 'x'.repeat(1e7) }] })", ended()
    )
    await expect(cards(page)).to_have_attribute("data-state", "done")
    took = await page.evaluate(
        """async () => {
            const began = performance.now();
            root.querySelector(".tool").open = true;
            await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
            return performance.now() - began;
        }"""
    )
    assert took < 1000
    assert len(await cards(page).locator("pre").last.inner_text()) == 20_000
    await expect(cards(page)).to_contain_text("The first 20,000 of 10,000,000 characters.")
    box = await cards(page).locator("pre").last.bounding_box()
    assert box is not None and box["height"] <= 240


async def test_p35_values_are_text(page: Page) -> None:
    """Names, arguments, results, titles, excerpts and addresses do nothing."""
    tools = [ended(n, result=text, args={text: text}, tool=text) for n, text in enumerate(PAYLOADS)]
    sources = [{"title": text, "url": text, "excerpt": text} for text in PAYLOADS]
    await page.evaluate(
        "(fields) => talk.reply('Yes', fields)", {"tools": tools, "sources": sources}
    )
    await expect(cards(page)).to_have_count(len(PAYLOADS))
    await page.evaluate("root.querySelectorAll('details').forEach((card) => (card.open = true))")
    await expect(page.locator(".tool pre")).to_have_count(2 * len(PAYLOADS))
    assert await page.locator(".tool .value:last-child pre").evaluate_all(TEXTS) == [
        text.replace("\u200b", "\\u200b") for text in PAYLOADS
    ]
    assert await page.locator(".sources blockquote").evaluate_all(TEXTS) == PAYLOADS
    hrefs = await page.locator(".sources a[href]").evaluate_all(
        "(all) => all.map((a) => a.protocol)"
    )
    assert set(hrefs) <= {"http:", "https:", "mailto:"}
    assert not await page.evaluate(f"'{MARK}' in window")
    assert await page.locator("#host :is(img, script, iframe, style, base, form form)").count() == 0


async def test_values_cannot_look_like_others(page: Page) -> None:
    """What turns or hides characters is shown, not obeyed."""
    await begin(page, call(args={"pay": "1\u202e000\u200b1"}))
    await cards(page).locator("summary").click()
    await expect(cards(page).locator("pre")).to_contain_text("1\\u202e000\\u200b1")


async def test_a_card_does_not_move_what_is_read(page: Page) -> None:
    await begin(page)
    await page.evaluate("(text) => talk.token(text)", PARAGRAPHS)
    paragraph = page.locator(".body p").nth(20)
    await expect(paragraph).to_be_visible()
    await page.evaluate(FRAMES)
    await paragraph.evaluate("(p) => p.scrollIntoView({ block: 'start' })")
    await page.evaluate(FRAMES)
    assert await page.evaluate(DISTANCE) > 100
    before = await paragraph.evaluate(TOP)
    await change(page, tools=[call(1), ended(2)])
    await expect(cards(page)).to_have_count(2)
    await page.evaluate(FRAMES)
    assert abs(await paragraph.evaluate(TOP) - before) <= 1


async def test_sources(page: Page) -> None:
    await page.evaluate("(sources) => talk.reply('In 30 days.', { sources })", SOURCES)
    card = page.locator(".card.sources")
    await expect(card.locator("summary")).to_have_text("2 sources")
    await card.locator("summary").click()
    link = card.get_by_role("link", name="Returns")
    await expect(link).to_have_attribute("href", "https://shop.example/returns")
    await expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")
    await expect(card.locator("blockquote")).to_have_text("Goods may be returned in 30 days.")


async def test_plain_answers_load_no_cards(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.evaluate("talk.reply('Just text.')")
    await expect(page.locator(".body p")).to_be_visible()
    assert not any("/cards/" in url for url in asked)
    await page.evaluate("(sources) => talk.change({ sources })", SOURCES)
    await expect(page.locator(".card.sources")).to_be_visible()


async def test_one_write_a_frame(page: Page) -> None:
    """However many events come."""
    await begin(page, call())
    await expect(cards(page)).to_have_count(1)
    batches = await page.evaluate(
        """async (tool) => {
            let batches = 0;
            new MutationObserver(() => (batches += 1)).observe(root.querySelector(".cards"), {
                subtree: true, childList: true, characterData: true, attributes: true });
            for (let n = 2; n < 50; n += 1) {
                const more = { ...tool, id: `call_${n}` };
                talk.change({ tools: [...talk.messages.at(-1).tools, more] });
            }
            await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
            return batches;
        }""",
        ended(),
    )
    assert batches == 1
    await expect(cards(page)).to_have_count(49)


@pytest.mark.parametrize(("scheme", "width"), [("light", 1000), ("dark", 1000), ("dark", 360)])
async def test_axe_and_looks(page: Page, scheme: str, width: int, shoot: Shoot) -> None:
    await page.set_viewport_size({"width": width, "height": 760})
    await page.evaluate(f"document.documentElement.style.colorScheme = '{scheme}'")
    await page.evaluate("talk.say('Where is my order?')")
    tools = [
        ended(1, result={"status": "sent", "carrier": "Post"}),
        ended(2, result="No such carrier.") | {"isError": True},
        call(3, tool="a_tool_with_a_name_that_is_much_longer_than_a_telephone_is_wide_x"),
    ]
    await begin(page, *tools)
    await page.evaluate("talk.token('It is on its way, says the carrier.')")
    await change(page, sources=SOURCES, progress={"message": "Searching…", "stage": "searching"})
    await expect(cards(page)).to_have_count(3)
    await cards(page).first.locator("summary").click()
    await page.locator(".sources summary").click()
    assert await violations(page) == []
    over = await page.locator(".content").evaluate("(all) => all.scrollWidth - all.clientWidth")
    assert over <= 0
    await shoot(f"cards-{scheme}-{width}")
