"""Stream tickets: one stream, started once, gone on with by its address alone."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from tests.live.clients import TIMEOUT, Rest, Sse, WebSocket, text_of
from tests.live.described import check_answer
from tests.live.raw import new_tag
from tests.live.server import Server
from tests.live.visiting import SHOP, Visitor, open_to_visitors, visit
from tests.upstream.process import UpstreamProcess

ASK = "go [[upstream tokens=3]]"
LONG = "go [[upstream tokens=200 delay=5]]"


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def ticket(rest: Rest, body: Any, **options: Any) -> str:
    """The address that a ticket opens."""
    answer = await rest.post("/a/acme-agent/api/stream-tickets", body, **options)
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return str(answer.json()["url"])


async def opened(url: str, **headers: str) -> Sse:
    """As an EventSource opens it: no token anywhere but in the address."""
    stream = await Sse.open(url, "", method="GET", headers={"Authorization": "", **headers})
    return stream


async def refused(url: str, **headers: str) -> tuple[int, str]:
    async with httpx.AsyncClient(trust_env=False) as client:
        return code(check_answer(await client.get(url, headers=headers)))


async def until(ask: Callable[[], Awaitable[tuple[int, str]]], wanted: tuple[int, str]) -> None:
    """Ask until that is the answer."""
    async with asyncio.timeout(TIMEOUT):
        told = await ask()
        while told != wanted:
            assert told == (404, "run_not_found"), told
            await asyncio.sleep(0.1)
            told = await ask()


async def test_it_works(rest: Rest, upstream: UpstreamProcess) -> None:
    """The message is asked once, however often the address is opened."""
    tag = new_tag()
    url = await ticket(rest, {"message": f"go [[upstream tokens=3 tag={tag}]]"})
    streams = await asyncio.gather(*(opened(url) for _ in range(5)))
    for stream in streams:
        async with stream:
            assert text_of(await stream.read()) == "w0 w1 w2 "
    assert len(upstream.requests(tag)) == 1
    assert len({stream.events[0]["runId"] for stream in streams}) == 1
    done = streams[0].events[-1]["_id"]
    async with await opened(url, **{"Last-Event-ID": done}) as stream:
        assert stream.status == 204
    messages = await rest.messages(streams[0].events[0]["conversationId"])
    assert [each["role"] for each in messages] == ["user", "assistant"]


async def test_a_browser_comes_back_with_the_same_address(ada: Visitor) -> None:
    url = await ticket(ada.rest, {"message": LONG})
    async with await opened(url, **ada.headers) as first:
        assert first.headers["access-control-allow-origin"] == SHOP
        await first.read(tokens=50)
        first.cut()
    async with await opened(url, **ada.headers, **{"Last-Event-ID": first.last_id}) as second:
        await second.read()
    assert text_of(first.events + second.events) == "".join(f"w{n} " for n in range(200))


async def test_a_ticket_follows_a_run_or_a_conversation(ada: Visitor) -> None:
    name = new_tag()
    run = (await ada.rest.post("/api/chat", {"message": ASK, "conversationId": name})).json()
    async with await opened(await ticket(ada.rest, {"runId": run["runId"]}), **ada.headers) as one:
        assert text_of(await one.read()) == "w0 w1 w2 "
    url = await ticket(ada.rest, {"conversationId": name})
    async with await opened(url, **ada.headers) as all_of_it:
        await ada.rest.post("/api/chat", {"message": ASK, "conversationId": name})
        await all_of_it.read(tokens=3)
    elsewhere = (await ada.rest.post("/api/chat", {"message": ASK})).json()
    told = await refused(url, **ada.headers, **{"Last-Event-ID": f"{elsewhere['runId']}:1"})
    assert told == (400, "invalid_message")


async def test_p27_it_is_for_what_its_maker_may_see(
    ada: Visitor, bert: Visitor, rest: Rest, server: Server
) -> None:
    name = new_tag()
    run = (await ada.rest.post("/api/chat", {"message": ASK, "conversationId": name})).json()
    for stranger in (bert.rest, rest):
        for body in ({"runId": run["runId"]}, {"conversationId": name}, {"runId": "run_x"}):
            answer = await stranger.post("/api/stream-tickets", body)
            assert answer.status_code == 404
    for body in ({}, {"runId": "x", "message": "y"}, {"message": " "}, {"message": "a\0"}):
        answer = await ada.rest.post("/api/stream-tickets", body)
        assert code(answer) == (400, "invalid_message")
    big = await ada.rest.post("/api/stream-tickets", {"message": "x" * 40_000})
    assert code(big) == (413, "message_too_large")
    url = await ticket(ada.rest, {"message": ASK})
    assert await refused(url.replace("/a/acme-agent/", "/a/globex-agent/"), **ada.headers) == (
        404,
        "agent_not_found",
    )
    for origin in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        assert await refused(url, **origin) == (403, "forbidden")
    bad = f"{server.url}/a/acme-agent/api/chat/stream?ticket="
    for wrong in ("x", "claw_ticket_" + "x" * 43, "%00", "%ff", ada.token, server.keys.acme):
        assert await refused(f"{bad}{wrong}", **ada.headers) == (401, "invalid_token")


async def test_it_opens_nothing_else(rest: Rest, server: Server) -> None:
    """Neither another address nor another frame."""
    url = await ticket(rest, {"message": LONG})
    (token,) = httpx.URL(url).params.get_list("ticket")
    for path in ("/api/conversations", "/api/agents"):
        assert await refused(f"{server.url}{path}?ticket={token}") == (401, "auth_required")
        assert await refused(f"{server.url}{path}", Authorization=f"Bearer {token}") == (
            401,
            "invalid_token",
        )
    async with await WebSocket.open(f"{server.ws_url}?ticket={token}") as socket:
        await socket.until("auth_ok")
        started = await socket.until("run_started")
        await socket.send(type="ping")
        await socket.until("pong")
        for frame in (
            {"type": "message", "content": ASK},
            {"type": "auth", "token": server.keys.acme},
            {"type": "resume", "runId": started["runId"]},
        ):
            await socket.send(**frame)
            assert (await socket.until("error"))["code"] == "forbidden"
        await socket.until("done")
        assert text_of(socket.events) == "".join(f"w{n} " for n in range(200))
        assert await socket.closed() == 1000  # there is nothing else that it could do
    async with await opened(url) as stream:  # the same answer, asked by the socket
        assert (await stream.read())[0]["runId"] == started["runId"]


async def test_a_socket_follows_what_the_ticket_is_for(ada: Visitor) -> None:
    name = new_tag()
    run = (await ada.rest.post("/api/chat", {"message": ASK, "conversationId": name})).json()
    for body, last in (({"runId": run["runId"]}, "done"), ({"conversationId": name}, "subscribed")):
        (token,) = httpx.URL(await ticket(ada.rest, body)).params.get_list("ticket")
        url = f"{ada.ws_url}?ticket={token}"
        async with await WebSocket.open(url, additional_headers=ada.headers) as socket:
            await socket.until(last)
            if last == "done":
                assert await socket.closed() == 1000
        async with await WebSocket.open(url) as socket:
            assert await socket.closed() == 4003
    async with await WebSocket.open(f"{ada.ws_url}?ticket=nonsense") as socket:
        assert await socket.closed() == 4001
    assert socket.connection.close_reason == "Invalid token"


async def test_its_time_is_short_and_what_it_has_opened_goes_on(make_server: Any) -> None:
    """Across a restart, too: tickets are rows."""
    server = make_server(CLAW_TICKET_TTL="4")
    open_to_visitors(server, "acme-agent", allowedOrigins=[SHOP])
    async with await visit(server, "acme-agent") as visitor:
        used, unused = [await ticket(visitor.rest, {"message": ASK}) for _ in range(2)]
        async with await opened(used, **visitor.headers) as stream:
            events = await stream.read()
        early = {"Last-Event-ID": events[0]["_id"], **visitor.headers}
        await until(lambda: refused(unused, **early), (401, "token_expired"))
        server.stop()
        server.start()
        again = {"Last-Event-ID": events[0]["_id"], **visitor.headers}
        async with await opened(used, **again) as stream:
            assert text_of(await stream.read()) == "w0 w1 w2 "
        assert await refused(used, **visitor.headers) == (401, "token_expired")
        told = await refused(unused, **again)
        assert told == (401, "token_expired")
        (token,) = httpx.URL(used).params.get_list("ticket")
        url = f"{visitor.ws_url}?ticket={token}"
        async with await WebSocket.open(url, additional_headers=visitor.headers) as socket:
            assert await socket.closed() == 4001


async def test_p22_it_ends_with_the_key_that_made_it(server: Server) -> None:
    made = json.loads(server.manage("create_api_key", "--agent", "acme-agent", "--json"))
    async with Rest(server.url, made["apiKey"]) as rest:
        url = await ticket(rest, {"message": ASK})
    server.manage("revoke_api_key", made["keyId"])
    early = {"Last-Event-ID": "run_none:1"}
    await until(lambda: refused(url, **early), (401, "key_revoked"))
