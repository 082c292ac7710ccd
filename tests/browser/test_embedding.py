"""On somebody's page: whatever the page does, one chat stands where it should, and nothing is kept
before the visitor does something."""

from playwright.async_api import Page, Request, expect

from tests.browser.site import Site
from tests.browser.widget import SETTINGS, Widget, embedding, policy, words
from tests.live.server import Server

__all__ = ["SETTINGS"]

THREE = "[[upstream tokens=3]]"
# A page that moves and covers what is fixed, and says how everything has to look.
HOSTILE = """<style>
body { transform: translate(200px, -300px) scale(0.5); overflow: hidden; contain: paint }
* { font-size: 40px !important; display: inline; color: red }
.cover { position: fixed; inset: 0; z-index: 2147483647; display: block }
</style><div class="cover"></div>"""


async def test_it_works_on_a_hostile_page(page: Page, shop: Site, server: Server) -> None:
    """With the policy of the documentation, but for the page's own styles."""
    strict = policy(server) + "; style-src 'unsafe-inline'"
    url = shop.page(HOSTILE + embedding(server), "/hostile", content_security_policy=strict)
    widget = await Widget.on(page, url)
    box = await page.locator(".launcher").bounding_box()
    assert box == {"x": 1000 - 76, "y": 760 - 76, "width": 56, "height": 56}
    await widget.open()
    box = await page.locator(".panel").bounding_box()
    assert box is not None and (box["x"], box["width"]) == (1000 - 20 - 416, 416)
    await expect(widget.input).to_have_css("font-size", "15px")
    between = "(panel) => getComputedStyle(panel, '::backdrop').backgroundColor"
    assert await page.locator(".panel").evaluate(between) == "rgba(0, 0, 0, 0)"  # the page is seen
    await widget.ask(THREE)
    await widget.answered(words(3))


async def test_a_script_that_is_there_twice_or_is_a_module_is_one_chat(
    page: Page, shop: Site, server: Server
) -> None:
    classic = embedding(server)
    module = classic.replace("<script", '<script type="module"')
    await Widget.on(page, shop.page(classic + classic, "/twice"))
    await expect(page.locator("claw-chat")).to_have_count(1)
    widget = await Widget.on(page, shop.page(module, "/module"))
    await expect(page.locator("claw-chat")).to_have_count(1)
    await widget.open()


async def test_nothing_is_kept_and_no_session_begins_unasked(
    page: Page, shop: Site, server: Server
) -> None:
    """Also where the chat is open; the first key brings a session and a connection."""
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))
    # What the test asks of the page counts as the visitor's act for Chromium.
    page_opens = """<script>
    Object.defineProperty(navigator, "userActivation", { value: { isActive: false } });
    addEventListener("claw:ready", ({ target }) => {
        target.close();
        target.open();
    })</script>"""
    url = shop.page(page_opens + embedding(server, open=""), "/untouched")
    widget = await Widget.on(page, url)
    await expect(page.locator(".greeting")).to_be_visible()
    assert await page.evaluate("localStorage.length") == 0
    assert not [request for request in asked if request.method == "POST"]
    async with page.expect_websocket():
        await widget.input.press("H")
    await widget.input.fill(THREE)
    await widget.input.press("Enter")
    await widget.answered(words(3))
    assert await page.evaluate(
        "Object.keys(localStorage).every((name) => name.startsWith('claw:'))"
    )
    assert await page.evaluate("localStorage.length") > 0


async def test_the_button_waits_for_two_requests_and_not_for_three(
    page: Page, shop: Site, server: Server
) -> None:
    """What the module needs is asked for before the module is there."""
    began: list[str] = []
    page.on("request", lambda request: began.append(request.url.removeprefix(server.url)))
    loaded: list[list[str]] = []
    page.on("requestfinished", lambda request: loaded.append([request.url, *began]))
    await Widget.on(page, shop.page(embedding(server), "/quick"))
    before = next(each for each in loaded if each[0].endswith("/dist/chat.js"))
    assert {"/static/dist/chat.css", "/a/acme-agent/api/greeting"} <= set(before)


async def test_an_answer_that_was_not_seen_has_a_sign(
    page: Page, shop: Site, server: Server
) -> None:
    """It is in the button's name, and there on the next page too: also if it came after the page
    was left."""
    url = shop.page(embedding(server), "/unread")
    widget = await Widget.on(page, url)
    unread = page.get_by_role("button", name="Open chat: there is a new answer")
    assert await widget.call("chat.send('Go [[upstream tokens=30 delay=40]]')") is True
    await expect(widget.answers).to_have_count(1)
    await page.reload()
    await expect(unread).to_be_visible(timeout=20_000)
    await page.reload()
    await unread.click()
    await widget.answered(words(30))
    await page.get_by_role("button", name="Close chat").last.click()
    await page.reload()
    await widget.ready()
    await expect(page.get_by_role("button", name="Open chat", exact=True)).to_be_visible()


async def test_the_page_speaks_for_the_visitor(page: Page, shop: Site, server: Server) -> None:
    widget = await Widget.on(page, shop.page(embedding(server), "/speaking"))
    await widget.call("chat.prefill('I would like')")
    await expect(widget.input).to_be_hidden()
    assert await page.evaluate("localStorage.length") == 0
    assert await widget.call(f"chat.ask('Hello {THREE}')") is True
    await expect(widget.input).to_have_value("I would like")
    await widget.answered(words(3))
    told = await widget.call("chat.messages")
    history = await page.evaluate(
        """async (base) => {
            const [token, conversationId] = ["token", "conversationId"].map((name) =>
                JSON.parse(localStorage[`claw:${base}:${name}`]));
            const url = `${base}/api/conversations/${conversationId}/messages`;
            const answer = await fetch(url, { headers: { Authorization: `Bearer ${token}` } });
            return (await answer.json()).messages;
        }""",
        f"{server.url}/a/acme-agent",
    )
    assert [set(message) for message in told] == [set(m) - {"clientMessageId"} for m in history]
    same = ("id", "role", "content", "status", "runId", "stopReason")
    assert [[m[name] for name in same] for m in told] == [
        [m[name] for name in same] for m in history
    ]


async def test_a_message_that_is_too_long_can_be_made_shorter(
    page: Page, shop: Site, server: Server
) -> None:
    widget = await Widget.on(page, shop.page(embedding(server), "/long"))
    await widget.open()
    await widget.ask(f"{THREE} " + "word " * 8000)
    problem = widget.questions.locator(".problem")
    await expect(problem).to_contain_text("This message is too long.")
    await problem.get_by_role("button", name="Edit").click()
    await expect(widget.input).to_have_value(f"{THREE} " + "word " * 7999 + "word")
    await widget.ask(THREE)
    await widget.answered(words(3))
    await expect(widget.questions).to_have_count(1)


async def test_a_page_that_replaces_its_body_keeps_the_chat(
    page: Page, shop: Site, server: Server
) -> None:
    """As a router of the page does (Turbo, Astro); what the page takes out itself stays out."""
    html = embedding(server).replace("</head><body>", "").replace("<main>", "</head><body><main>")
    script = html[html.index("<script") : html.index("</script>") + 9]
    in_head = html.replace(script, "").replace("</head>", f"{script}</head>")
    widget = await Widget.on(page, shop.page(in_head, "/routed"))
    await widget.open()
    await widget.ask(THREE)
    await widget.answered(words(3))
    await page.evaluate("document.body.replaceWith(document.createElement('body'))")
    await expect(page.locator("claw-chat")).to_have_count(1)
    await widget.answered(words(3))
    await page.evaluate("document.querySelector('claw-chat').remove()")
    await page.evaluate("document.body.replaceWith(document.createElement('body'))")
    await expect(page.locator("claw-chat")).to_have_count(0)


async def test_a_browser_that_forbids_storage_has_a_chat(
    page: Page, shop: Site, server: Server
) -> None:
    """A private window, a sandbox: it lasts as long as the page."""
    forbid = """Object.defineProperty(window, "localStorage", { get() {
        throw new DOMException("Access is denied for this document.", "SecurityError");
    } });"""
    await page.add_init_script(forbid)
    widget = await Widget.on(page, shop.page(embedding(server), "/private"))
    await widget.open()
    await widget.ask(THREE)
    await widget.answered(words(3))


async def test_on_paper_nothing_covers_the_page(page: Page, shop: Site, server: Server) -> None:
    widget = await Widget.on(page, shop.page(embedding(server), "/print"))
    await widget.open()
    await page.emulate_media(media="print")
    await expect(page.locator(".panel")).to_be_hidden()
    await expect(page.locator(".launcher")).to_be_hidden()
    await page.emulate_media(media="screen")
    await expect(page.locator(".panel")).to_be_visible()
