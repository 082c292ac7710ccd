"""`static/claw/markdown.js`: fed whole, then one character at a time."""

import os
import re
from pathlib import Path
from typing import Any

import pytest_asyncio
from playwright.async_api import Page

from tests.browser.payloads import MARK, PAYLOADS
from tests.browser.site import Site

ROOT = Path(__file__).resolve().parents[2]
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
SEEN = """async (text) => {
    const { Markdown } = await import("/static/claw/markdown.js");
    const root = document.querySelector("main");
    root.replaceChildren();
    const markdown = new Markdown(root), seen = [];
    for (const character of text) {
        markdown.write(character);
        seen.push(root.innerText.trimEnd());
    }
    markdown.end();
    const last = root.innerText;
    return seen.filter((each) => !last.startsWith(each)).map((each) => [each, last]);
}"""
SPEC = ROOT / "frontend" / "node_modules" / "commonmark-spec" / "spec.txt"
EXAMPLE = re.compile(r"^`{32} example\n(.*?)^\.\n(.*?)^`{32}$", re.M | re.S)
ALLOWED = """() => {
    const tags = new Set("p h3 h4 h5 h6 blockquote br hr em strong s code a ul ol li pre figure \
figcaption span button div table thead tbody tr th td input sup section".split(" "));
    const attributes = new Set("class type data-action data-language data-note tabindex href rel \
target start disabled checked dir translate aria-label".split(" "));
    const found = [];
    for (const element of document.querySelectorAll("main *")) {
        if (!tags.has(element.localName)) found.push(element.outerHTML);
        for (const { name } of element.attributes)
            if (!attributes.has(name)) found.push(element.outerHTML);
        if (element.href && !/^(https?|mailto):/.test(element.href)) found.push(element.href);
    }
    return found;
}"""


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def opened(page: Page, site: Site) -> None:
    await page.goto(site.page("<title>Markdown</title><main></main>"))


async def render(page: Page, text: str, size: int = 1_000_000) -> dict[str, Any]:
    made: dict[str, Any] = await page.evaluate(RENDER, [text, size])
    return made


def anchor(href: str, text: str) -> str:
    return f'<a href="{href}" rel="noopener noreferrer nofollow" target="_blank">{text}</a>'


def plain(html: str) -> str:
    """The elements without the attributes that every block has, or that are tried by themselves."""
    html = html.replace(' dir="auto"', "").replace(' dir="ltr"', "").replace(' translate="no"', "")
    button = '<button type="button" data-action="copy-code">Copy</button>'
    return html.replace(button, "").replace(' tabindex="0"', "")


CODE = '<figure class="code"{}><figcaption>{}</figcaption><pre><code>{}</code></pre></figure>'


def figure(text: str, language: str = "") -> str:
    if not language:
        return CODE.format("", "", text)
    caption = f'<span class="language">{language}</span>'
    return CODE.format(f' data-language="{language}"', caption, text)


CASES = [
    ("a *b* **c** ~~d~~", "<p>a <em>b</em> <strong>c</strong> <s>d</s></p>"),
    ("# A\n## B ##\n", "<h3>A</h3><h4>B</h4>"),
    ("A\n===\nb", "<h3>A</h3><p>b</p>"),
    ("a\nb\n\nc", "<p>a<br>b</p><p>c</p>"),
    ("a\r\nb\r\n\r\nc\r", "<p>a<br>b</p><p>c</p>"),
    ("- a\n- b\n", "<ul><li>a</li><li>b</li></ul>"),
    ("3. a\n4. b\n", '<ol start="3"><li>a</li><li>b</li></ol>'),
    ("1. a\n\n   b\n\n2. c", '<ol class="loose"><li>a<p>b</p></li><li>c</li></ol>'),
    ("> said\n", "<blockquote><p>said</p></blockquote>"),
    ("`<b>` is code", "<p><code>&lt;b&gt;</code> is code</p>"),
    ("&lt;b&gt; &copy; &#38; &AElig; &no;", "<p>&lt;b&gt; © &amp; Æ &amp;no;</p>"),
    ("<b>x</b> and<br>y", "<p>&lt;b&gt;x&lt;/b&gt; and<br>y</p>"),
    ("<div>\n*x*\n</div>\n", '<p class="verbatim">&lt;div&gt;\n*x*\n&lt;/div&gt;</p>'),
    ("```py\nx = '$1'\n```\nafter", figure("x = '$1'", "py") + "<p>after</p>"),
    ("```py\nnever closed", figure("never closed", "py")),
    ("```\n\tx\n\n  y\n```", figure("\tx\n\n  y")),
    ("````md\n```\nx\n```\n````\n", figure("```\nx\n```", "md")),
    (
        "|a|b|\n|---|:-:|\n|1|2|\n|x|4|\n",
        '<div class="table"><table><thead><tr><th class="number">a</th><th class="center">b</th>'
        '</tr></thead><tbody><tr><td class="number">1</td><td class="center">2</td></tr>'
        '<tr><td>x</td><td class="center">4</td></tr></tbody></table></div>',
    ),
    (
        "- [ ] a *b*\n- [X] c\n",
        '<ul><li class="task"><input type="checkbox" disabled="" aria-label="a b"> a <em>b</em>'
        '</li><li class="task"><input type="checkbox" disabled="" checked="" aria-label="c"> c'
        "</li></ul>",
    ),
    (
        "> [!NOTE]\n> x *y*\n",
        '<blockquote class="alert note"><p class="title">Note</p><p>x <em>y</em></p></blockquote>',
    ),
    (
        "said[^1] and [^2].\n\n[^1]: A *note*.\n",
        '<p>said<sup>1</sup> and [^2].</p><section class="notes"><div class="note">'
        "<p><sup>1</sup> A <em>note</em>.</p></div></section>",
    ),
    (
        r"so \(a_1 * b_2\), $x_1 = y_1$ and $5 or $6",
        r'<p>so <span class="math">\(a_1 * b_2\)</span>, <span class="math">$x_1 = y_1$</span>'
        " and $5 or $6</p>",
    ),
    ("so:\n$$\na\n- b\n=\n$$\n", '<p>so:</p><p class="math">$$\na\n- b\n=\n$$</p>'),
    ("[x](https://a.example/b)", f"<p>{anchor('https://a.example/b', 'x')}</p>"),
    ("[x](mailto:a@b.example)", f"<p>{anchor('mailto:a@b.example', 'x')}</p>"),
    ("[x](javascript:alert(1))", "<p><a>x</a></p>"),
    (
        'see https://a.example/b, [t](https://a.example "title")',
        f"<p>see {anchor('https://a.example/b', 'https://a.example/b')}, "
        f"{anchor('https://a.example/', 't')}</p>",
    ),
    (
        "[a][1] [b]\n\n[1]: https://a.example/1\n[b]: <https://a.example/2>\n",
        f"<p>{anchor('https://a.example/1', 'a')} {anchor('https://a.example/2', 'b')}</p>",
    ),
    ("![](https://a.example/b)", f"<p>{anchor('https://a.example/b', 'https://a.example/b')}</p>"),
    ("![a *cat*](https://a.example/c)", f"<p>{anchor('https://a.example/c', 'a cat')}</p>"),
    ("---\n", "<hr>"),
]


async def test_it_works(page: Page) -> None:
    for text, html in CASES:
        for size in (1_000_000, 1, 3):
            assert plain((await render(page, text, size))["html"]) == html, (text, size)


async def test_each_block_has_its_own_direction(page: Page) -> None:
    text = "# א\n\nb\n\n- ג\n- d\n\n| ה | f |\n|---|---|\n| ז | h |\n"
    await render(page, text)
    blocks = page.locator("main :is(h3, p, li, th, td)")
    directions = await blocks.evaluate_all("(all) => all.map((e) => getComputedStyle(e).direction)")
    assert directions == ["rtl", "ltr", "rtl", "ltr", "rtl", "ltr", "rtl", "ltr"]


async def test_what_is_no_markdown_stays_as_written(page: Page) -> None:
    for text in [
        "it costs $5 and $HOME is set to $x",
        "the first [item] and items[0][1] are left",
        "100% of <people> & 2 < 3",
        "(a) f(x) and a call(g(x))",
        "مرحبا 👩\u200d👩\u200d👧 日本語",
        "set MY_ENV_VAR=1, snake__case and src/my_module/test_main.py",
        "f(*args, **kwargs) is 5*3 or 5 * 3 * 2",
        "match **/*.py and *.js, char *p, *q; ~5 to ~6",
        r"C:\Users\me\new_folder",
        "#hashtag, #2, 1986. and -5",
        "List<String> x = a && b;",
        "a [b](not a link) and ![c] and [d",
    ]:
        for size in (1_000_000, 1, 3):
            assert (await render(page, text, size))["text"] == text


async def test_nothing_that_is_shown_is_taken_back(page: Page) -> None:
    """Character by character: what is seen is always a beginning of what is seen at the end."""
    texts = [text for text, _ in CASES if "[^" not in text and " [b]" not in text]
    texts.append(
        "so **bold *and* it** `code` and [link](https://a.example/x_(y) 'z') & &amp; ~~z~~."
    )
    for text in texts:
        assert await page.evaluate(SEEN, text) == []


async def test_random_documents_are_the_same_in_pieces_and_whole(page: Page) -> None:
    """All of them: `DOCUMENTS=4000`."""
    count = int(os.environ.get("DOCUMENTS", "150"))
    script = 'import("/tests/documents.js")'
    found = await page.evaluate(f"async (n) => (await {script}).different(0, n)", count)
    assert found == []


async def test_the_specification(page: Page) -> None:
    """CommonMark 0.31.2 but for raw HTML: all show the right text, 95 % in the right elements."""
    text = SPEC.read_text().split("\n## HTML blocks")
    text = text[0] + text[1][text[1].index("\n## Link reference") :]
    text = re.sub(r"\n## Raw HTML.*?(?=\n## )", "", text, flags=re.S)
    examples = [[each.replace("→", "\t") for each in pair] for pair in EXAMPLE.findall(text)]
    assert len(examples) == 588
    compare = 'async (all) => (await import("/tests/specification.js")).compare(all)'
    texts, elements = await page.evaluate(compare, examples)
    assert texts == []
    assert len(elements) <= 0.05 * len(examples), elements


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


async def test_links_are_defined_further_down(page: Page) -> None:
    """`[a][1]` is shown as its text at once; what is never defined is what was written."""
    for text, shown in [
        ("see [a *b*][1] now\n\n[1]: https://a.example/1\n", "see a b now"),
        ("see [a][1] now", "see [a][1] now"),
        ("x[i][j] and [k] now", "x[i][j] and [k] now"),
    ]:
        for size in (1_000_000, 1):
            assert (await render(page, text, size))["text"] == shown
    assert await page.evaluate(SEEN, "see [a *b*][1] now\n\n[1]: https://a.example/1\n") == []


async def test_an_address_ends_with_a_sentence(page: Page) -> None:
    for text in [
        "网址 https://a.example/x。后面",
        "“https://a.example/x”",
        "(https://a.example/x).",
    ]:
        for size in (1_000_000, 1):
            await render(page, text, size)
            assert await page.locator("main a").get_attribute("href") == "https://a.example/x"


# What people reported of other renderers of streamed answers, and the elements that are right.
REPORTED = [
    # vercel/streamdown#134
    ("**$750 is a lot of money**", "<p><strong>$750 is a lot of money</strong></p>"),
    # vercel/streamdown#54
    (
        "$$\n\\begin{pmatrix}\nx \\\\\ny\n\\end{pmatrix}\n=\n$$\n",
        '<p class="math">$$\n\\begin{pmatrix}\nx \\\\\ny\n\\end{pmatrix}\n=\n$$</p>',
    ),
    # metadist/synaplan#1123
    ("19 $/Monat **oder** 39 $/Monat", "<p>19 $/Monat <strong>oder</strong> 39 $/Monat</p>"),
    # jinghaihan/vue-stream-markdown#61
    ("a_b and a\\_b", "<p>a_b and a_b</p>"),
    # Simon-He95/markstream-vue#199
    ("- HR_负责人\n- IT项目_报价_申请", "<ul><li>HR_负责人</li><li>IT项目_报价_申请</li></ul>"),
    # coder/xum#909
    (
        "```sql\nSELECT * WHERE $__timeFilter(x)\n```",
        figure("SELECT * WHERE $__timeFilter(x)", "sql"),
    ),
    # open-webui/open-webui#2603
    (
        "2. **Enter**:\n   Use it:\n\n   ```bash\n   exec -it <pod-name> -- /bin/sh\n   ```\n",
        '<ol start="2" class="loose"><li><strong>Enter</strong>:<br>Use it:'
        f"{figure('exec -it &lt;pod-name&gt; -- /bin/sh', 'bash')}</li></ol>",
    ),
    # gradio-app/gradio#9717
    ("Which?\n  - A\n  - B\n", "<p>Which?</p><ul><li>A</li><li>B</li></ul>"),
    # markedjs/marked#2751
    ("``js\nx``", "<p><code>js x</code></p>"),
    # nerds-odd-e/doughnut#1168
    ("edit src/my_module/test_main.py", "<p>edit src/my_module/test_main.py</p>"),
]


async def test_what_was_reported_of_others(page: Page) -> None:
    for text, html in REPORTED:
        for size in (1_000_000, 1):
            assert plain((await render(page, text, size))["html"]) == html
        assert await page.evaluate(SEEN, text) == []
