"""`static/claw/markdown.js` with long blocks: the cost of a piece may not grow with them."""

import pytest_asyncio
from playwright.async_api import Page

from tests.browser.site import Site


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def opened(page: Page, site: Site) -> None:
    await page.goto(site.page("<title>Markdown</title><main></main>"))


# One block that is long: what it costs may not grow with what is there already.
LONG = {
    "emphasis": "**b** _i_ `c` ",
    "quoted lines": "> a line of **quoted** text\n",
    "quoted items": "> - an item of **quoted** text\n",
    "quoted code": "> ```py\n> x = 1\n> ```\n> and text\n",
    "an alert": "> [!NOTE]\n> a line of **quoted** text\n",
    "quotations in quotations": "> > a line of text\n> > - an item\n> >\n> > and\n",
    "lines that follow lazily": "> a line\nand more of it\n",
    "right to left": "مرحبا **b** _i_ ",
    "definitions": "> see [a][x]\n>\n> [x]: https://a.example/\n>\n> text[^1]\n>\n> [^1]: n\n>\n",
}


async def test_long_blocks_are_the_same_in_pieces_and_whole(page: Page) -> None:
    script = """async (text) => {
        const { render } = await import("/tests/documents.js");
        const whole = render(text, text.length);
        return [1, 7, 100].filter((size) => render(text, size) !== whole);
    }"""
    for name, text in LONG.items():
        assert await page.evaluate(script, text * (3000 // len(text))) == [], name


async def test_what_is_committed_is_not_read_again(page: Page) -> None:
    """The open end of a long block stays as short at the end as it was at the beginning."""
    script = """async (part) => {
        const { Markdown } = await import("/static/claw/markdown.js");
        const root = document.createElement("main");
        const markdown = new Markdown(root);
        const count = { made: 0 };
        const create = document.createElement.bind(document);
        document.createElement = (...values) => ((count.made += 1), create(...values));
        const write = (pieces) => {
            count.made = 0;
            for (let i = 0; i < pieces; i += 1) markdown.write(part);
            return count.made;
        };
        try {
            write(250);
            return [write(100), (write(300), write(100))];
        } finally {
            delete document.createElement;
        }
    }"""
    for name, part in LONG.items():
        first, last = await page.evaluate(script, part)
        assert last < 1.5 * first + 50, (name, first, last)


async def test_a_long_block_that_stays_open_costs_no_more_than_its_length(page: Page) -> None:
    """An item of a list is read again after it has grown by a share of what it is; what may be
    code or a link is text when it has become too long."""
    script = """async ([head, part]) => {
        const { Markdown } = await import("/static/claw/markdown.js");
        const made = (length) => {
            const markdown = new Markdown(document.createElement("main"));
            const create = document.createElement.bind(document);
            let count = 0;
            document.createElement = (...values) => ((count += 1), create(...values));
            markdown.write(head);
            for (let at = 0; at < length; at += part.length) markdown.write(part);
            delete document.createElement;
            return count;
        };
        return [made(10000), made(20000), made(40000)];
    }"""
    for head, part in [
        ("1. Install:\n\n   ```sh\n", "   pip install something\n"),
        ("- ", "a line of words and `code` **bold** here "),
        ("- group\n", "  - item of **the** group\n"),
        ("1. a\n\n", "   a paragraph of text\n\n"),
        ("", "f(*args) ` and ``` *b* words "),
        ("", "[open *b* words "),
        ("", "["),
    ]:
        short, longer, long = await page.evaluate(script, [head, part])
        assert long - longer < 2.5 * (longer - short) + 50, (head, short, longer, long)
