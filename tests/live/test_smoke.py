"""One answer through every layer, on every transport."""

from tests.live.clients import Rest, Sse, WebSocket, text_of
from tests.live.server import Server

ASK = "hello [[upstream tokens=20 delay=1]]"
EXPECTED = "".join(f"w{i} " for i in range(20))


async def test_it_works_over_websocket(ws: WebSocket) -> None:
    events = await ws.ask(ASK)
    assert text_of(events) == EXPECTED
    assert [event["type"] for event in events[-3:]] == ["typing", "message_complete", "done"]


async def test_it_works_over_sse(server: Server) -> None:
    url = f"{server.url}/api/chat/stream"
    async with await Sse.open(url, server.keys.acme, body={"message": ASK}) as stream:
        assert text_of(await stream.read()) == EXPECTED
        assert stream.events[-1]["type"] == "done"


async def test_it_works_over_rest(rest: Rest) -> None:
    answer = await rest.post("/api/chat", {"message": ASK})
    assert answer.status_code == 200
    assert answer.json()["content"] == EXPECTED
    history = await rest.messages(answer.json()["conversationId"])
    assert [message["content"] for message in history] == [ASK, EXPECTED]
