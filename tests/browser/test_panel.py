"""The widget's view, fed by a conversation that the test makes (`js/panel.js`)."""

import asyncio
import json
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.browser.site import Site

PAGE = """<title>Panel</title><body style="margin: 0">
<div id="host" mode="page" open></div><script type="module" src="/tests/panel.js"></script>"""
PARAGRAPHS = "".join(f"Paragraph {i} says a little.\n\n" for i in range(60))
# How far the reader is from the end, in pixels.
DISTANCE = """() => {
    const scroller = root.querySelector(".scroller");
    return Math.round(scroller.scrollHeight - scroller.clientHeight - scroller.scrollTop);
}"""
FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
# Counts the frames that have passed, and the batches of changes in the log.
COUNT = """() => {
    const counts = { frames: 0, batches: 0, removed: 0, records: 0, added: 0 };
    const frame = () => { counts.frames += 1; requestAnimationFrame(frame); };
    requestAnimationFrame(frame);
    new MutationObserver((records) => {
        counts.batches += 1;
        for (const { type, addedNodes, removedNodes } of records) {
            if (type === "attributes") continue;
            counts.records += 1;
            counts.added += addedNodes.length;
            counts.removed += removedNodes.length;
        }
    }).observe(root.querySelector(".log"), {
        subtree: true, childList: true, characterData: true, attributes: true });
    window.counts = counts;
}"""
# So many tokens at so many a second, by the clock: a page that stood still gets them all at once,
# as from a socket.
FEED = """([tokens, rate]) => new Promise((done) => {
    talk.say("Count");
    talk.begin();
    const began = performance.now();
    let given = 0;
    const timer = setInterval(() => {
        const due = Math.min(tokens, ((performance.now() - began) / 1000) * rate);
        for (; given < due; given += 1)
            talk.token(given % 12 ? `word${given} ` : `**word${given}**.\\n\\n`);
        if (given < tokens) return;
        clearInterval(timer);
        talk.end();
        requestAnimationFrame(() => requestAnimationFrame(done));
    }, 4);
})"""


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def opened(page: Page, site: Site) -> None:
    await page.goto(site.page(PAGE))
    await page.wait_for_function("window.talk")


async def test_it_works(page: Page) -> None:
    await expect(page.get_by_text("Hello! How can I help?")).to_be_visible()
    await page.evaluate("talk.say('Hello *you*'); talk.begin(); talk.token('So **bo')")
    await expect(page.locator(".assistant .body")).to_have_text("So")
    await expect(page.get_by_role("log")).to_have_attribute("aria-busy", "true")
    await page.evaluate("talk.token('ld**'); talk.end()")
    await expect(page.locator(".assistant strong")).to_have_text("bold")
    await expect(page.locator(".user .body")).to_have_text("Hello *you*")
    await expect(page.get_by_role("log")).to_have_attribute("aria-busy", "false")
    await expect(page.get_by_text("Hello! How can I help?")).to_be_hidden()


async def test_a_question_waits_with_a_sign(page: Page) -> None:
    await page.evaluate("talk.isStreaming = true; talk.say('Hello')")
    await expect(page.get_by_role("img", name="Working on an answer")).to_be_visible()
    await page.evaluate("talk.begin(); talk.token('Yes')")
    await expect(page.get_by_role("img", name="Working on an answer")).to_be_hidden()


async def test_thinking_is_folded_and_status_lines_are_ticked(page: Page) -> None:
    await page.evaluate("talk.begin({ thinking: 'Let me ' })")
    await page.evaluate("talk.change({ thinking: 'Let me see' })")
    await expect(page.locator("details")).not_to_have_attribute("open", "")
    await expect(page.locator("details div")).to_have_text("Let me see")
    status = "talk.change({ progress: { message: %r } })"
    await page.evaluate(status % "Searching")
    await page.evaluate(status % "Reading")
    await expect(page.locator(".steps li")).to_have_text(["Searching", "Reading"])
    await expect(page.locator(".steps .working")).to_have_text("Reading")
    await page.evaluate("talk.token('Here')")
    await expect(page.locator(".steps .working")).to_have_count(0)
    await expect(page.locator("summary")).to_have_text("Thought")


async def test_the_end_is_followed_until_the_reader_leaves_it(page: Page) -> None:
    """C39: within 100 px the end is followed; further away nothing moves."""
    jump = page.get_by_role("button", name="Jump to latest")
    await page.evaluate("(text) => talk.reply(text)", PARAGRAPHS)
    await page.wait_for_function(f"({DISTANCE})() === 0 && !talk.isStreaming")
    await page.evaluate("root.querySelector('.scroller').scrollTop -= 60")
    await page.evaluate(FRAMES)
    await page.evaluate("(text) => talk.reply(text)", PARAGRAPHS)
    await expect(page.locator(".body p").get_by_text("Paragraph 59")).to_have_count(2)
    await page.wait_for_function(f"({DISTANCE})() === 0")
    await expect(jump).to_be_hidden()

    await page.evaluate("root.querySelector('.scroller').scrollTop -= 400")
    await expect(jump).to_be_visible()
    top = await page.evaluate("root.querySelector('.scroller').scrollTop")
    await page.evaluate("(text) => talk.reply(text)", PARAGRAPHS)
    await expect(page.locator(".body p").get_by_text("Paragraph 59")).to_have_count(3)
    await page.evaluate(FRAMES)
    assert await page.evaluate("root.querySelector('.scroller').scrollTop") == top
    await jump.click()
    await page.wait_for_function(f"({DISTANCE})() === 0")
    await expect(jump).to_be_hidden()


async def test_a_reader_who_turns_the_wheel_is_not_pulled_back(page: Page) -> None:
    """Several small turns lead away, however fast the answer comes."""
    await page.evaluate("(text) => talk.reply(text)", PARAGRAPHS)
    await page.wait_for_function(f"({DISTANCE})() === 0 && !talk.isStreaming")
    await page.evaluate("talk.begin()")
    await page.locator(".scroller").hover()
    for _ in range(4):
        before = await page.evaluate(DISTANCE)
        await page.mouse.wheel(0, -40)
        await page.wait_for_function(f"({DISTANCE})() > {before}")
        await page.evaluate("talk.token('A line.\\n\\n')")
        await page.evaluate(FRAMES)
    await expect(page.get_by_role("button", name="Jump to latest")).to_be_visible()


async def test_what_is_selected_stays_selected(page: Page) -> None:
    """While an answer comes, when it ends, and when its code gets colours."""
    await page.evaluate("talk.reply('warm')")
    await expect(page.locator(".body p")).to_have_text("warm")
    await page.evaluate("(text) => { talk.begin(); talk.token(text) }", PARAGRAPHS)
    code = page.locator("pre code")
    await page.evaluate("talk.token('```py\\nx = 1\\ny = 2\\n')")
    await expect(code).to_have_text("x = 1\ny = 2")
    select = """(code) => {
        const range = new Range();
        range.selectNodeContents(code);
        getSelection().removeAllRanges();
        getSelection().addRange(range);
        return root.querySelector(".scroller").scrollTop;
    }"""
    top = await code.evaluate(select)
    await page.evaluate("(text) => { talk.token('```\\n\\n' + text); talk.end() }", PARAGRAPHS)
    await expect(page.locator(".actions").last.get_by_role("button").first).to_be_visible()
    await page.evaluate(FRAMES)
    assert await code.evaluate("(code) => root.getSelection().containsNode(code, true)")
    assert (await page.evaluate("root.getSelection().toString()")).split() == [
        "x",
        "=",
        "1",
        "y",
        "=",
        "2",
    ]
    assert await page.evaluate("root.querySelector('.scroller').scrollTop") == top


async def test_an_error_is_a_sentence_with_a_way_on(page: Page) -> None:
    await page.evaluate("talk.say('Hello'); talk.begin(); talk.token('The first')")
    await page.evaluate("talk.end({ status: 'failed', error: { code: 'upstream_overloaded' } })")
    problem = page.locator(".assistant .problem")
    await expect(problem).to_contain_text("The assistant is very busy right now.")
    await expect(problem.get_by_role("button")).to_have_text("Try again")
    await page.evaluate("talk.begin(); talk.token('Half'); talk.end({ status: 'cancelled' })")
    await expect(page.locator(".cancelled .problem")).to_have_text("Stopped.")


async def test_every_code_block_can_be_read_as_code(page: Page) -> None:
    await page.evaluate("talk.reply('```python\\ndef f(): return 1\\n```\\n')")
    await expect(page.locator(".hl-keyword").first).to_have_text("def")
    await expect(page.locator("figcaption .language")).to_have_text("python")
    await expect(page.locator("code")).to_have_text("def f(): return 1")


async def count(page: Page, tokens: int, rate: int) -> dict[str, Any]:
    await page.evaluate(FEED, [tokens, rate])
    await page.wait_for_function("root.querySelector('.assistant:last-child .actions button')")
    counts: dict[str, Any] = await page.evaluate("counts")
    return counts


async def test_p36_one_write_a_frame_and_no_long_task(page: Page, browser: Browser) -> None:
    """2,000 tokens at 200 a second. Time is that of the processor: the machine may stand still."""
    await page.evaluate(COUNT)
    await browser.start_tracing(page=page, categories=["disabled-by-default-devtools.timeline"])
    counts = await count(page, 2000, 200)
    trace = json.loads(await browser.stop_tracing())["traceEvents"]
    assert 1 < counts["batches"] <= counts["frames"] + 2
    threads = {event["tid"] for event in trace if event.get("args") == {"name": "CrRendererMain"}}
    tasks = [event for event in trace if event["name"] == "RunTask" and event["tid"] in threads]
    assert len(tasks) > counts["frames"]
    assert max(task.get("tdur", 0) for task in tasks) / 1000 <= 50


async def test_the_end_of_a_long_answer_touches_no_other_block(
    page: Page, browser: Browser
) -> None:
    """The cursor goes, and the style of what stands above it is not looked up again."""
    text = "A line of text.\n\n"
    await page.evaluate("(text) => { talk.begin(); talk.token(text.repeat(3000)) }", text)
    await expect(page.locator(".assistant .body > p")).to_have_count(3000, timeout=60_000)
    await expect(page.locator(".body > .open")).to_have_count(1)
    content = "(open) => getComputedStyle(open, '::after').content"
    assert await page.locator(".body > .open").evaluate(content) == '""'
    await page.evaluate(FRAMES)
    await browser.start_tracing(page=page, categories=["disabled-by-default-devtools.timeline"])
    await page.evaluate("talk.end()")
    await expect(page.locator(".body > .open")).to_have_count(0)
    await page.evaluate(FRAMES)
    trace = json.loads(await browser.stop_tracing())["traceEvents"]
    styled = [event["args"] for event in trace if event["name"] == "UpdateLayoutTree"]
    assert 0 < sum(args.get("elementCount", 0) for args in styled) < 500


async def test_a_long_answer_is_written_once(page: Page) -> None:
    """20,000 tokens: nothing that stands is taken away or written again."""
    await page.evaluate(COUNT)
    counts = await count(page, 20_000, 20_000)
    assert counts["removed"] <= 20_000 / 12 + 3  # what was announced goes again
    assert counts["added"] < 20_000
    assert counts["records"] < 30_000
    assert await page.locator(".assistant .body > p").count() == 1668


async def test_twenty_answers_leave_nothing_behind_but_themselves(page: Page) -> None:
    """No listener for each, and what a conversation took is free again with the next one."""
    session = await page.context.new_cdp_session(page)

    async def measure() -> dict[str, float]:
        await session.send("HeapProfiler.collectGarbage")
        found = await session.send("Performance.getMetrics")
        return {metric["name"]: metric["value"] for metric in found["metrics"]}

    async def converse(answers: int) -> dict[str, float]:
        await page.evaluate(
            """([answers, text]) => {
                for (let i = 0; i < answers; i++) { talk.say("More"); talk.reply(text); }
            }""",
            [answers, PARAGRAPHS],
        )
        await page.wait_for_function(
            "(n) => root.querySelectorAll('.assistant .actions > *').length === 3 * n"
            " + root.querySelectorAll('.assistant').length - n"
            " || root.querySelectorAll('.assistant .actions').length === n",
            arg=answers,
        )
        full = await measure()
        await page.evaluate("talk.messages = []; panel.apply({ kind: 'reset' })")
        await page.evaluate(FRAMES)
        return full

    await session.send("Performance.enable")
    await converse(5)
    before = await measure()
    full = await converse(20)
    assert full["JSEventListeners"] - before["JSEventListeners"] < 20
    async with asyncio.timeout(20):  # what a frame has drawn is free some time later
        while (after := await measure())["Nodes"] - before["Nodes"] >= 200:
            await page.evaluate(FRAMES)
    assert after["JSHeapUsedSize"] - before["JSHeapUsedSize"] < 1_500_000
    await session.detach()


@pytest.mark.parametrize(
    ("fields", "text", "button"),
    [
        ({"stopReason": "max_tokens"}, "The answer reached its greatest length.", "Continue"),
        ({"stopReason": "refusal"}, "The assistant does not answer this.", "Try again"),
        (
            {"stopReason": "context_window_exceeded"},
            "This conversation has become too long. Please begin a new one.",
            "New conversation",
        ),
        ({"stopReason": "end_turn", "content": ""}, "There was no answer to this.", "Try again"),
    ],
)
async def test_an_answer_says_how_it_ended(
    page: Page, fields: dict[str, str], text: str, button: str
) -> None:
    await page.evaluate("talk.say('Hello'); talk.begin(); talk.token('Well, the')")
    await page.evaluate("(fields) => talk.end(fields)", fields)
    problem = page.locator(".assistant .problem")
    await expect(problem.locator("span")).to_have_text(text)
    await expect(problem.get_by_role("button", name=button)).to_be_visible()


async def test_enter_that_ends_a_composition_sends_nothing(page: Page) -> None:
    """Chrome says so of the event; in Safari only its code does."""
    await page.get_by_role("textbox", name="Message").fill("にほん")
    for fields in ("isComposing: true, keyCode: 229", "isComposing: false, keyCode: 229"):
        await page.get_by_role("textbox", name="Message").evaluate(
            "(input) => input.dispatchEvent(new KeyboardEvent('keydown', "
            f"{{ key: 'Enter', bubbles: true, cancelable: true, {fields} }}))"
        )
    assert await page.evaluate("sent") == []
    await page.get_by_role("textbox", name="Message").press("Enter")
    assert await page.evaluate("sent") == ["にほん"]


async def test_a_slow_page_shows_the_end_of_an_answer(page: Page) -> None:
    """After a write that took long the next one waits: the last one, too, but it comes."""
    states = await page.evaluate(
        """async () => {
            const { Body, load } = await import("/static/claw/widget/message/body.js");
            await load();
            const now = performance.now.bind(performance);
            let late = 0;
            performance.now = () => now() + late;
            const labels = { copy: "Copy", alerts: {} };
            const onCode = () => (late += 50);
            const body = new Body("assistant", { labels, onCode, onReady() {} });
            body.append("```js\\nx\\n```\\n\\nsaid **open");
            body.draw(false);
            body.draw(true);
            const before = [body.complete, body.element.textContent.includes("**open")];
            late += 1000;
            body.draw(true);
            performance.now = now;
            return [...before, body.complete, body.element.textContent.includes("**open")];
        }"""
    )
    assert states == [False, False, True, True]
