"""What tools are given and give back is a stranger's text, as the model's is."""

import json
from collections.abc import Iterator
from typing import Any

from playwright.async_api import Page, WebSocketRoute, expect

from engine import events as ev
from tests.browser.payloads import MARK, PAYLOADS
from tests.browser.site import Site
from tests.browser.widget import SETTINGS, Widget, embedding, words
from tests.live.server import Server

__all__ = ["SETTINGS"]

QUESTION = "[[upstream tokens=30 delay=20]]"
MIDDLE = 10
# The wire beside the chat, which shows every event whole.
WIRE = """async () => {
    await import("/static/claw/widget/wire.js");
    document.body.append(document.createElement("claw-wire"));
}"""
TEXTS = "(all) => all.map((each) => each.textContent)"
LOADED = "claw-chat :is(img, script, iframe, base), claw-wire :is(img, script, iframe, style, base)"


def steps() -> Iterator[ev.Event]:
    """An agent at work: each payload as a whole, and as it is when it stops in the middle."""
    halves = [payload[: len(payload) // 2] for payload in PAYLOADS]
    for number, text in enumerate(PAYLOADS + halves):
        args = {text: text, "nested": [{"text": text}]}
        call = f"call_{number}"
        yield ev.Status(message=text, stage=text)
        yield ev.ToolCall(id=call, tool=text, args=args, name=text, arguments=args)
        for result in (text, args):
            failed = result is text
            yield ev.ToolResult(id=call, tool=text, result=result, is_error=failed, duration_ms=1)


class Stranger:
    """Stands between the page and the server: at the tenth word the agent begins to work, and what
    the server says afterwards comes behind that."""

    def __init__(self) -> None:
        self.added = 0

    def meet(self, page: WebSocketRoute) -> None:
        """A socket of the page."""

        def pass_on(text: str | bytes) -> None:
            frame = json.loads(text)
            for field in ("seq", "lastSeq"):
                if field in frame:
                    frame[field] += self.added
            page.send(json.dumps(frame))
            if frame["type"] == "token" and frame["index"] == MIDDLE:
                self._work(page, frame)

        page.connect_to_server().on_message(pass_on)

    def _work(self, page: WebSocketRoute, after: dict[str, Any]) -> None:
        stamp = ev.Stamp(after["runId"], "conv_1", "msg_1")
        for event in steps():
            self.added += 1
            page.send(stamp.seal(event, after["seq"] + self.added).decode())


async def test_p35_no_payload_does_anything(page: Page, shop: Site, server: Server) -> None:
    """Through status lines, the arguments of tools and their results, in mid-answer."""
    stranger = Stranger()
    await page.route_web_socket("**/api/ws", stranger.meet)
    widget = await Widget.on(page, shop.page(embedding(server), "/tools"))
    await page.evaluate(WIRE)
    await widget.open()
    await widget.ask(QUESTION)
    answer = await widget.answered(words(30))
    assert stranger.added == len(list(steps()))
    said = [event.message for event in steps() if isinstance(event, ev.Status)]
    assert await answer.locator(".steps li").evaluate_all(TEXTS) == said
    await expect(answer.locator(".problem")).to_be_empty()
    wire = await page.locator("claw-wire li.tool_result code").evaluate_all(TEXTS)
    assert [json.loads(row)["tool"] for row in wire[::2]] == said
    tools = await widget.call("chat.messages.at(-1).tools")
    assert [tool["tool"] for tool in tools] == said
    assert all(tool["result"] == tool["args"] for tool in tools)
    assert not await page.evaluate(f"'{MARK}' in window")
    assert await page.locator(LOADED).count() == 0
