"""What is seen: any accent can be read, forced colours, nothing that moves what is being read."""

from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.conftest import Shoot
from tests.browser.site import Site
from tests.browser.test_panel import FRAMES, PAGE

ACCENTS = ["#ffd400", "navy", "#e4002b", "white", "black", "oklch(70% 0.2 145)", "rebeccapurple"]
# The contrast (WCAG 2.2) of an element's colour with that of another's ground.
CONTRAST = """([text, ground]) => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const luminance = (colour) => {
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((byte) => {
            const part = byte / 255;
            return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const [a, b] = [
        luminance(getComputedStyle(root.querySelector(text)).color),
        luminance(getComputedStyle(root.querySelector(ground)).backgroundColor),
    ].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
}"""
# Where the first line of something is, and how high all is.
PLACES = """() => {
    const body = root.querySelector(".assistant .body");
    const dots = root.querySelector(".waiting:not([hidden]) i:nth-child(2)");
    const box = (dots ?? document.createRange()).getBoundingClientRect();
    const range = document.createRange();
    if (body?.firstChild) range.selectNodeContents(body.firstChild);
    const line = range.getBoundingClientRect();
    const at = dots ? box : line;
    return { middle: at.top + at.height / 2, left: at.left,
             height: root.querySelector(".content").scrollHeight };
}"""


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def opened(page: Page, site: Site) -> None:
    await page.goto(site.page(PAGE))
    await page.wait_for_function("'talk' in window")
    await page.evaluate("import('/static/claw/widget/markdown/markdown.js').then(() => {})")


async def places(page: Page) -> dict[str, Any]:
    await page.evaluate(FRAMES)
    found: dict[str, Any] = await page.evaluate(PLACES)
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_works_with_any_accent(page: Page, scheme: str) -> None:
    """Text on it and links in it have at least 4.5 to 1."""
    await page.evaluate(f"document.documentElement.style.colorScheme = '{scheme}'")
    await page.evaluate("talk.reply('See [the docs](https://example.com/).')")
    await page.get_by_role("textbox", name="Message").fill("Hello")
    await expect(page.get_by_role("link")).to_be_visible()
    await page.evaluate(
        "root.adoptedStyleSheets[0].insertRule('.send { transition: none !important }')"
    )
    for accent in ACCENTS:
        await page.evaluate(f"host.style.setProperty('--claw-accent', '{accent}')")
        assert await page.evaluate(CONTRAST, [".send", ".send"]) >= 4.5, accent
        assert await page.evaluate(CONTRAST, [".body a", ".panel"]) >= 4.5, accent


async def test_forced_colours_show_what_is_only_a_colour(page: Page, shoot: Shoot) -> None:
    await page.emulate_media(forced_colors="active")
    await page.evaluate("talk.isStreaming = true; talk.say('Hello')")
    ground = await page.locator(".panel").evaluate("(e) => getComputedStyle(e).backgroundColor")
    dot = page.locator(".waiting i").first
    await expect(dot).to_be_visible()
    assert await dot.evaluate("(e) => getComputedStyle(e).backgroundColor") != ground
    await page.get_by_role("textbox", name="Message").focus()
    await expect(page.locator(".field")).to_have_css("outline-style", "solid")
    await page.evaluate("talk.begin(); talk.token('Half an answer')")
    caret = "(e) => getComputedStyle(e, '::after').backgroundColor"
    await expect(page.locator(".body > p")).to_be_visible()
    assert await page.locator(".body > p").evaluate(caret) != ground
    await shoot("forced-colours")


async def test_the_dots_stand_where_the_first_word_will_be(page: Page) -> None:
    """And what is under an answer has its place before it is there."""
    await page.evaluate("talk.reply('Once, so that the renderer is there.')")
    await expect(page.locator(".assistant p")).to_be_visible()
    await page.evaluate("talk.messages = []; panel.apply({ kind: 'reset' })")
    await page.evaluate("talk.isStreaming = true; talk.say('Hello')")
    asked = await places(page)
    await page.evaluate("talk.begin()")
    begun = await places(page)
    await page.evaluate("talk.token('Yes')")
    said = await places(page)
    await page.evaluate("talk.end()")
    ended = await places(page)
    for place in (begun, said, ended):
        assert abs(place["middle"] - asked["middle"]) <= 3
        assert abs(place["height"] - asked["height"]) <= 1
    assert said["middle"] == ended["middle"]


async def test_the_greeting_waits_for_the_history(page: Page, shoot: Shoot) -> None:
    """Before it is known whether anything was said, nobody is greeted, and the wait is seen."""
    await page.evaluate("talk.isLoading = true; panel.show(talk)")
    await expect(
        page.get_by_role("status").filter(has_text="Loading the conversation…")
    ).to_be_visible()
    await expect(page.locator(".greeting")).to_be_hidden()
    await shoot("loading")
    await page.evaluate("talk.isLoading = false; talk.say('Hello')")
    await expect(page.locator(".loading")).to_be_hidden()
    await expect(page.locator(".greeting")).to_be_hidden()


async def test_a_limit_counts_its_seconds(page: Page, shoot: Shoot) -> None:
    waiting = (
        """{ status: 'sending', retryAt: Date.now() + 3000, error: { code: 'rate_limited' } }"""
    )
    await page.evaluate(f"talk.isStreaming = true; talk.say('Hello', {waiting})")
    problem = page.locator(".user .problem")
    await expect(problem).to_contain_text("That was a little fast.")
    await expect(problem).to_contain_text("Trying again in 3 seconds.")
    await shoot("rate-limit")
    await expect(problem).to_contain_text("Trying again in 2 seconds.")
    await page.evaluate("talk.change({ status: 'completed', retryAt: undefined, error: null })")
    await expect(problem).to_be_empty()


async def test_focus_rings_and_squares_are_whole(page: Page, shoot: Shoot) -> None:
    await page.evaluate("talk.say('Hello'); talk.reply('See [the docs](https://example.com/).')")
    copy = page.locator(".assistant [data-action=copy]")
    await expect(copy).to_be_visible()
    assert "paint" not in await page.locator(".assistant").evaluate(
        "(e) => getComputedStyle(e).contain"
    )
    await page.keyboard.press("Tab")
    await copy.focus()
    await shoot("focus")


async def test_texts_of_two_directions_stand_in_order(page: Page, shoot: Shoot) -> None:
    """What an agent offers begins where all else does; each line of a question has its own
    direction, and its buttons stand beside it, also above the page that it was written on."""
    introduce = (
        """panel.introduce({ name: "Helper", greeting: "مرحبا", prompts: ["Hello", "سلام"] })"""
    )
    await page.evaluate(introduce)
    await expect(page.locator(".greeting bdi")).to_have_text("مرحبا")
    lefts = await page.locator(".prompts button").evaluate_all(
        "(all) => all.map((each) => each.firstChild.getBoundingClientRect().left"
        " - each.getBoundingClientRect().left)"
    )
    assert len({round(left) for left in lefts}) == 1
    await page.evaluate(
        "talk.say('سلام عليكم ورحمة الله وبركاته\\nHi', { context: { title: 'Boots' } })"
    )
    await expect(page.locator(".card.page")).to_be_visible()
    body = page.locator(".user .body")
    first, second = await body.evaluate(
        """(body) => [0, body.textContent.length - 2].map((at) => {
            const range = document.createRange();
            range.setStart(body.firstChild, at);
            range.setEnd(body.firstChild, at + 2);
            return range.getBoundingClientRect().left - body.getBoundingClientRect().left;
        })"""
    )
    assert second < 30 < first
    bubble, buttons = await body.bounding_box(), await page.locator(".user .actions").bounding_box()
    assert bubble and buttons and abs(bubble["y"] - buttons["y"]) < 8
    await shoot("two-directions")
