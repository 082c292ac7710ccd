"""`static/claw/widget/panel/announcer.js`: whole sentences, as one reads them aloud."""

import pytest_asyncio
from playwright.async_api import Page

from tests.browser.site import Site

SAY = """async ([text, size, end]) => {
    const { Announcer } = await import("/static/claw/widget/panel/announcer.js");
    const region = document.querySelector("main");
    region.replaceChildren();
    const announcer = new Announcer(region, "Code block");
    for (let i = 0; i < text.length; i += size) announcer.add(text.slice(i, i + size));
    if (end) announcer.end();
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    return Array.from(region.children, (line) => line.textContent);
}"""


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def opened(page: Page, site: Site) -> None:
    await page.goto(site.page("<title>Announcer</title><main></main>"))


async def say(page: Page, text: str, size: int = 1, end: bool = True) -> list[str]:
    said: list[str] = await page.evaluate(SAY, [text, size, end])
    return said


async def test_it_works(page: Page) -> None:
    text = "Hello there. How are you? It costs 3.50 dollars"
    assert await say(page, text, end=False) == ["Hello there.", "How are you?"]
    assert await say(page, text) == ["Hello there.", "How are you?", "It costs 3.50 dollars"]
    assert await say(page, text, size=1000, end=False) == ["Hello there. How are you?"]


async def test_the_number_of_a_list_is_no_sentence(page: Page) -> None:
    assert await say(page, "1. First one.\n2. Second\n") == ["1. First one.", "2. Second"]


async def test_syntax_is_not_read_aloud(page: Page) -> None:
    for text, said in [
        (
            "It is **very** `good`, see [the docs](https://a.example/x.y).\n",
            "It is very good, see the docs.",
        ),
        ("## A title\n", "A title"),
        ("- first\n", "first"),
        ("| a | b |\n", "a b"),
        ("今日は。", "今日は。"),
        ("snake_case stays, 2 * 3 as well\n", "snake_case stays, 2  3 as well"),
    ]:
        assert await say(page, text, size=1000) == [said]


async def test_code_is_named_and_not_read(page: Page) -> None:
    text = "Do this:\n\n```py\nx = 1. \ny = 2\n```\n\nDone."
    assert await say(page, text) == ["Do this:", "Code block.", "Done."]


async def test_what_was_said_long_ago_goes(page: Page) -> None:
    lines = await say(page, "".join(f"Sentence {i}. " for i in range(100)))
    assert len(lines) == 30
    assert lines[-1] == "Sentence 99."
