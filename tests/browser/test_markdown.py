"""`static/claw/markdown.js`: fed whole, then one character at a time."""

from typing import Any

import pytest_asyncio
from playwright.async_api import Page

from tests.browser.payloads import MARK, PAYLOADS
from tests.browser.site import Site

RENDER = """async ([text, size]) => {
    const { Markdown } = await import("/static/claw/markdown.js");
    const root = document.querySelector("main");
    root.replaceChildren();
    const blocks = [];
    const markdown = new Markdown(root, { onCode: (block) => blocks.push(block.dataset.language) });
    const characters = [...text];
    for (let i = 0; i < characters.length; i += size)
        markdown.write(characters.slice(i, i + size).join(""));
    const before = root.innerHTML;
    markdown.end();
    return { html: root.innerHTML, text: root.textContent, before, blocks };
}"""
ALLOWED = """() => {
    const tags = new Set("p h3 h4 h5 h6 blockquote br hr em strong s code a ul ol li pre figure \
figcaption span button div table thead tbody tr th td input".split(" "));
    const attributes = new Set(
        "class type data-action data-language tabindex href rel target start disabled".split(" "));
    const found = [];
    for (const element of document.querySelectorAll("main *")) {
        if (!tags.has(element.localName)) found.push(element.outerHTML);
        for (const { name } of element.attributes)
            if (!attributes.has(name)) found.push(element.outerHTML);
        if (element.href && !/^(https?|mailto):/.test(element.href)) found.push(element.href);
    }
    return found;
}"""
FIGURE = (
    '<figure class="code" data-language="py"><figcaption><span class="language">py</span>'
    '<button type="button" data-action="copy-code">Copy</button></figcaption>'
    '<pre tabindex="0"><code>{}</code></pre></figure>'
)


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def opened(page: Page, site: Site) -> None:
    await page.goto(site.page("<title>Markdown</title><main></main>"))


async def render(page: Page, text: str, size: int = 1_000_000) -> dict[str, Any]:
    made: dict[str, Any] = await page.evaluate(RENDER, [text, size])
    return made


def anchor(href: str, text: str) -> str:
    return f'<a href="{href}" rel="noopener noreferrer nofollow" target="_blank">{text}</a>'


CASES = [
    (
        "plain *em* **strong** ~~gone~~",
        "<p>plain <em>em</em> <strong>strong</strong> <s>gone</s></p>",
    ),
    ("# A\n## B\n", "<h3>A</h3><h4>B</h4>"),
    ("a\nb\n\nc", "<p>a<br>b</p><p>c</p>"),
    ("- a\n- b\n", "<ul><li>a</li><li>b</li></ul>"),
    ("3. a\n4. b\n", '<ol start="3"><li>a</li><li>b</li></ol>'),
    ("> said\n", "<blockquote><p>said</p></blockquote>"),
    ("`<b>` is code", "<p><code>&lt;b&gt;</code> is code</p>"),
    ("```py\nx = '$1'\n```\nafter", FIGURE.format("x = '$1'") + "<p>after</p>"),
    ("```py\nnever closed", FIGURE.format("never closed")),
    (
        "|a|b|\n|---|---|\n|1|2|\n|3|4|\n",
        '<div class="table" tabindex="0"><table><thead><tr><th>a</th><th>b</th></tr></thead>'
        "<tbody><tr><td>1</td><td>2</td></tr><tr><td>3</td><td>4</td></tr></tbody></table></div>",
    ),
    ("[x](https://a.example/b)", f"<p>{anchor('https://a.example/b', 'x')}</p>"),
    ("[x](mailto:a@b.example)", f"<p>{anchor('mailto:a@b.example', 'x')}</p>"),
    (
        'see https://a.example/b, [t](https://a.example "title")',
        f"<p>see {anchor('https://a.example/b', 'https://a.example/b,')} "
        f"{anchor('https://a.example/', 't')}</p>",
    ),
    (
        "![](https://a.example/b)",
        f"<p>{anchor('https://a.example/b', 'https://a.example/b')}</p>",
    ),
    (
        "![a cat](https://a.example/c.png)",
        f"<p>{anchor('https://a.example/c.png', 'a cat')}</p>",
    ),
    ("---\n", "<hr>"),
]


async def test_it_works(page: Page) -> None:
    for text, html in CASES:
        assert (await render(page, text))["html"] == html
        assert (await render(page, text, 1))["html"] == html


async def test_what_is_no_markdown_stays_as_written(page: Page) -> None:
    for text in [
        "it costs $5 and $HOME is set to $x",
        "the first [item] and items[0] are left",
        "100% of <people> & 2 < 3",
        "(a) f(x) and a call(g(x))",
        "مرحبا 👩\u200d👩\u200d👧 日本語",
    ]:
        for size in (1_000_000, 1, 3):
            assert (await render(page, text, size))["text"] == text


async def test_an_escape_may_be_cut(page: Page) -> None:
    for size in (1_000_000, 1):
        assert (await render(page, r"\(x\) \*y\* `\(z` \\", size))["text"] == r"(x) *y* \(z \\"[:-1]


async def test_half_written_syntax_never_shows(page: Page) -> None:
    text = "so **bold** and [link](https://a.example/long)"
    for end in range(1, len(text)):
        shown = (await render(page, text[:end]))["before"]
        assert "*" not in shown
        assert "](" not in shown


async def test_a_complete_code_block_is_told_once(page: Page) -> None:
    text = "```py\na\n```\n\n```js\nb\n```\n\n```css\nc"
    for size in (1_000_000, 1):
        assert (await render(page, text, size))["blocks"] == ["py", "js", "css"]


async def test_what_stands_is_left_alone(page: Page) -> None:
    """A selection in text that has arrived survives what follows."""
    text, kept = await page.evaluate(
        """async () => {
            const { Markdown } = await import("/static/claw/markdown.js");
            const root = document.querySelector("main");
            const markdown = new Markdown(root);
            markdown.write("one **two** thr");
            const last = root.querySelector("p").lastChild;
            getSelection().setBaseAndExtent(root.querySelector("p").firstChild, 0, last, 3);
            markdown.write("ee\\n\\n- four\\n");
            return [String(getSelection()), last.isConnected && last.data];
        }"""
    )
    assert (text, kept) == ("one two th", " three")


async def test_no_payload_becomes_more_than_text(page: Page) -> None:
    """P35: whole and half-streamed; also left in the middle."""
    halves = [payload[: len(payload) // 2] for payload in PAYLOADS]
    for payload in PAYLOADS + halves:
        for size in (1_000_000, 1, 2, 7):
            await render(page, payload, size)
            assert await page.evaluate(ALLOWED) == [], (payload, size)
    assert not await page.evaluate(f"'{MARK}' in window")
    assert not await page.locator("main img, main script, main iframe").count()


async def test_nothing_makes_it_fail(page: Page) -> None:
    """Deep nesting, and syntax in random order."""
    assert (
        await page.evaluate(
            """async () => {
            const { Markdown } = await import("/static/claw/markdown.js");
            const root = document.querySelector("main");
            const parts = ["> ", "- ", "1. ", "\\n", "\\n\\n", "  ", "**", "*", "_", "`", "```",
                "|", "|---|", "[", "](", ")", "!", "$", "$$", "\\\\[", "\\\\(", "<br", ">", "#",
                "x", "h", "http://", "~~", "- [x] ", "\\t", "\\u0000", "😀"];
            let seed = 7;
            const random = (n) => (seed = (seed * 1103515245 + 12345) % 2147483648) % n;
            const texts = [">".repeat(5000), "- ".repeat(2000), "**_".repeat(500)];
            for (let i = 0; i < 3000; i++)
                texts.push(Array.from({ length: 30 }, () => parts[random(parts.length)]).join(""));
            for (const text of texts) {
                root.replaceChildren();
                const markdown = new Markdown(root);
                try {
                    markdown.write(text);
                    markdown.end();
                } catch (error) {
                    return `${error} for ${text.slice(0, 60)}`;
                }
            }
            return "";
        }"""
        )
        == ""
    )
