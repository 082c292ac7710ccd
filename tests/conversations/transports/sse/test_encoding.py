"""`conversations.transports.sse.encoding`: the stream that a request asks for."""

import json

import pytest
from django.test import RequestFactory

from conversations.transports.sse.encoding import encoding_of
from engine.errors import ClawError
from tests.asgi import Response, ask
from tests.conversations.parts import QUICK
from tests.conversations.transports.doors import caller
from wire.encoders.batches import BatchedEncoding
from wire.encoders.native import SseEvents
from wire.encoders.simple import ContentSse, SimpleSse


@pytest.mark.parametrize(
    ("query", "protocol", "pace", "size"),
    [
        ("", SseEvents, 0, None),
        ("format=simple", SimpleSse, 0, None),
        ("format=content&batch=50ms", ContentSse, 0.05, None),
        ("batch=10", SseEvents, 0, 10),
        ("batch=1000", SseEvents, 0, 1000),
        ("batch=1000ms", SseEvents, 1, None),
    ],
)
def test_it_works(query: str, protocol: type, pace: float, size: int | None) -> None:
    found = encoding_of(RequestFactory().get(f"/?{query}"), caller())
    assert (found.protocol, found.pace) == (protocol, pace)
    assert (found.size if isinstance(found, BatchedEncoding) else None) == size


@pytest.mark.parametrize(
    "query",
    [
        "format=xml",
        "format=",
        *(f"batch={n}" for n in ("", "1", "1001", "9ms", "1001ms", "1s", "-2", "²")),
    ],
)
def test_what_there_is_not_is_refused(query: str) -> None:
    with pytest.raises(ClawError) as raised:
        encoding_of(RequestFactory().get(f"/?{query}"), caller())
    assert raised.value.details == {"field": query.partition("=")[0]}


async def stream(query: str, token: str, **headers: str) -> Response:
    path = f"/api/chat/stream?{query}"
    async with Response("POST", path, {"message": QUICK}, token, **headers) as response:
        await response.ended()
    return response


def objects(response: Response) -> list[dict[str, object]]:
    lines = response.text.splitlines()
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data")]


@pytest.mark.usefixtures("services")
@pytest.mark.parametrize("batch", ["", "&batch=2", "&batch=10ms"])
async def test_a_simple_stream(key, agent, batch: str) -> None:
    response = await stream(f"format=simple{batch}", key[1])
    *texts, done = objects(response)
    assert "".join(str(each["content"]) for each in texts) == "Hello there"
    assert done == {"done": True}


@pytest.mark.usefixtures("services")
async def test_a_simple_stream_is_resumed(key, agent) -> None:
    whole = await stream("format=content", key[1])
    ids = [line[4:] for line in whole.text.splitlines() if line.startswith("id: ")]
    rest = await stream("format=content", key[1], **{"last-event-id": ids[1]})
    assert objects(rest) == objects(whole)[1:]
    assert (await stream("format=content", key[1], **{"last-event-id": ids[-1]})).status == 204


@pytest.mark.usefixtures("services", "agent")
async def test_nothing_is_asked_in_a_format_that_there_is_not(key) -> None:
    status, answer = await ask("POST", "/api/chat/stream?format=x", {"message": "x"}, token=key[1])
    assert (status, answer["error"]["details"]) == (400, {"field": "format"})
