"""What a page loads for the widget, and that it comes from the widget's host alone."""

from playwright.async_api import Page, Response

from tests.browser.site import Site
from tests.browser.widget import SETTINGS, Widget, embedding, policy
from tests.live.server import Server

__all__ = ["SETTINGS"]

FIRST_LOAD = 30 * 1024
EMBED = 3 * 1024


async def test_it_works(page: Page, shop: Site, server: Server) -> None:
    """The first load, until one can write: at most 30 kB as served, 3 of them the script."""
    responses: list[Response] = []
    page.on("response", lambda response: responses.append(response))
    url = shop.page(embedding(server), content_security_policy=policy(server))
    widget = await Widget.on(page, url)
    await widget.open()
    loaded = {
        response.url.removeprefix(server.url): (await response.request.sizes())["responseBodySize"]
        for response in responses
        if "/static/" in response.url
    }
    assert loaded["/static/claw/embed.js"] <= EMBED
    assert sum(loaded.values()) <= FIRST_LOAD
    others = ("highlight", "markdown", "/es-", "/de-")
    assert not any(other in name for name in loaded for other in others)
    assert all(name.startswith("/static/") for name in loaded)  # from the widget's host alone
