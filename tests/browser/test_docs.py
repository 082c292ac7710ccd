"""The examples of docs/widget.md, as they stand there, on a page of a shop."""

import re
from pathlib import Path

import msgspec
import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Watched
from tests.browser.site import Site
from tests.browser.widget import SETTINGS, Widget, embedding, words
from tests.documents import code, names, rows, section
from tests.live.server import Server
from wire.objects.widget import WidgetSettings

__all__ = ["SETTINGS"]

PAGE = "docs/widget.md"
ROOT = "http://127.0.0.1:8000"
HTML, CSS, JS, POLICY = (
    [block.text for block in code(PAGE, kind)] for kind in ("html", "css", "js", "")
)
SCRIPT = f'<script type="module" src="{ROOT}/static/dist/chat.js"></script>'
FOLDER = Path(__file__).resolve().parents[2] / "static/claw/widget"
SOURCE = "".join(file.read_text() for file in FOLDER.rglob("*.js") if file.parent.name != "locales")
THREE = "[[upstream tokens=3]]"
LOOKS, METHODS, EVENTS, CONTEXT, OWN_WAY, SLOT, TOOLS, RENDERER, IDENTITY = JS


def here(text: str, server: Server) -> str:
    """An example with this server's address, and acme's agent."""
    here = text.replace(ROOT, server.url).replace(ROOT.replace("http", "ws"), server.ws_url[:-7])
    return here.replace("my-agent", "acme-agent")


@pytest.mark.parametrize("example", HTML)
async def test_it_works(page: Page, shop: Site, server: Server, example: str) -> None:
    """Each way to put it on a page, under the policy that is documented."""
    (policy,) = POLICY
    script = "" if "<script" in example else SCRIPT  # the element alone
    html = f"<title>Shop</title><body>{here(example + script, server)}</body>"
    url = shop.page(html, "/docs", content_security_policy=here(policy.strip(), server))
    widget = await Widget.on(page, url)
    if "inline" not in example:
        await widget.open()
    await widget.ask("Hello [[upstream tokens=3]]")
    await widget.answered(words(3))


async def test_the_custom_properties(page: Page, shop: Site, server: Server) -> None:
    await Widget.on(page, shop.page(f"<style>{CSS[0]}</style>{embedding(server)}", "/css"))
    await expect(page.locator(".launcher")).to_have_css("background-color", "rgb(102, 51, 153)")
    await page.get_by_role("button", name="Open chat").click()
    await expect(page.locator(".panel")).to_have_css("width", "480px")


async def test_the_settings(page: Page, shop: Site, server: Server) -> None:
    widget = await Widget.on(page, shop.page(embedding(server), "/settings"))
    await page.evaluate(f"() => {{ {LOOKS} }}")
    await expect(page.locator(".launcher")).to_contain_text("Chat with us")
    await widget.open()
    await expect(page.locator(".panel header")).to_have_css("background-color", "rgb(10, 125, 85)")
    await widget.ask(THREE)
    await widget.answered(words(3))
    await expect(page.get_by_role("button", name="May I return it?")).to_be_visible()


async def test_the_tools_of_the_page(page: Page, shop: Site, server: Server) -> None:
    await Widget.on(page, shop.page(embedding(server), "/tools"))
    chat = "const chat = document.querySelector('claw-chat');"
    names = "return chat.tools.map((tool) => tool.name);"
    assert await page.evaluate(f"() => {{ {chat} {TOOLS} {names} }}") == ["add_to_cart"]


async def test_the_page_as_the_agent_sees_it(page: Page, shop: Site, server: Server) -> None:
    widget = await Widget.on(page, shop.page(embedding(server), "/context"))
    await page.evaluate("window.shop = { cart: { items: ['B-4711'] } }")
    await page.evaluate(f"() => {{ const chat = document.querySelector('claw-chat'); {CONTEXT} }}")
    await widget.open()
    await widget.ask(THREE)
    await widget.answered(words(3))
    context = await widget.call("chat.messages[0].context")
    assert context == {"title": "Shop", "data": {"cart": ["B-4711"]}}


async def test_answers_in_the_page_s_own_way(page: Page, shop: Site, server: Server) -> None:
    """The page's element shows through a slot, in the page's own style."""
    style = "<style>shop-card { color: rgb(10, 125, 85); }</style>"
    widget = await Widget.on(page, shop.page(style + embedding(server), "/own"))
    slotted = (
        'chat.addEventListener("claw:render", ({ detail: { message, element } }) => {'
        f"{SLOT} chat.lastElementChild.textContent = '89 €'; }});"
    )
    script = f"() => {{ const chat = document.querySelector('claw-chat'); {OWN_WAY} {slotted} }}"
    await page.evaluate(script)
    await widget.open()
    await widget.ask(THREE)
    await widget.answered(words(3))
    await expect(page.locator("shop-card")).to_be_visible()
    await expect(page.locator("shop-card")).to_have_css("color", "rgb(10, 125, 85)")


async def test_the_methods_and_events(page: Page, shop: Site, server: Server) -> None:
    widget = await Widget.on(page, shop.page(embedding(server), "/js"))
    await widget.open()
    await page.evaluate(f"() => {{ {EVENTS} }}")
    assert await widget.call("chat.send('my password')") is False
    await page.evaluate(f"() => {{ {METHODS} }}")
    await expect(widget.input).to_be_hidden()
    listed = [name for row in rows(section(PAGE, "From the page")) for name in row[0].split(", ")]
    told = set(re.findall(r'"(claw:\w+)"', SOURCE))
    assert {name.strip("`") for name in listed} == told


async def test_the_renderer(page: Page, shop: Site, server: Server) -> None:
    await page.goto(shop.page("<title>Answer</title><div id='answer'></div>", "/renderer"))
    await page.add_script_tag(content=here(RENDERER, server), type="module")
    await expect(page.locator("#answer")).to_have_text("Hello world")
    await expect(page.locator("#answer strong")).to_have_text("world")


async def test_the_identity_is_asked_for(
    page: Page, shop: Site, server: Server, watched: Watched
) -> None:
    """A token that is none: the page's function was asked, and the visitor is told."""
    watched.connections_may_fail = True
    shop.page("no token", "/chat-token")
    await Widget.on(page, shop.page(embedding(server), "/identity"))
    await page.evaluate(f"() => {{ {IDENTITY} }}")
    async with page.expect_request("**/chat-token"):
        await page.get_by_role("button", name="Open chat").click()
    await expect(page.locator(".banner")).to_contain_text("Your session could not be confirmed.")


async def test_every_option_is_one(page: Page, shop: Site, server: Server) -> None:
    """The attributes that the element looks at, and the settings that it reads."""
    settings = {field.encode_name for field in msgspec.structs.fields(WidgetSettings)}
    await Widget.on(page, shop.page(embedding(server), "/options"))
    observed = await page.evaluate("customElements.get('claw-chat').observedAttributes")
    attributes, described = section(PAGE, "Options").split("### Settings")
    documented = {name for row in rows(attributes) for name in names(row[0])}
    dashed = {re.sub("[A-Z]", lambda upper: f"-{upper[0].lower()}", name) for name in settings}
    assert (set(observed) - dashed - {"dir"}) | {"target"} == documented  # `locale` names `dir`
    told = {name for row in rows(described) for name in names(row[0])}
    read = set(
        re.findall(r'settings\.get\("(\w+)"\)|^  (\w+): \(\) => import', SOURCE, re.MULTILINE)
    )
    assert {name for pair in read for name in pair if name} <= told <= settings
