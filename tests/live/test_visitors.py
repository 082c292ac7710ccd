"""Visitors of a page, over a real server: sessions, origins, isolation, and the end of a token."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.agents.signed import minted, resigned, unsigned
from tests.live.clients import Rest, Sse, WebSocket, text_of
from tests.live.described import check_answer
from tests.live.server import Server
from tests.live.visiting import SHOP, Visitor, identity_secret, open_to_visitors, visit

ASK = "go [[upstream tokens=3]]"
LONG = "go [[upstream tokens=3000 delay=10]]"
SETTINGS = {"CLAW_VISITOR_SESSIONS_PER_ADDRESS": "10000", "CLAW_FAILED_AUTH_PER_MINUTE": "10000"}
pytestmark = pytest.mark.usefixtures("welcoming")


@pytest.fixture(scope="module")
def secret(server: Server) -> str:
    return identity_secret(server, "acme-agent")


async def session(server: Server, body: Any = None, **options: Any) -> httpx.Response:
    headers = {"Origin": SHOP} | options.pop("headers", {})
    path = options.pop("path", "/a/acme-agent/api/visitor-sessions")
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as client:
        answer = await client.post(
            path,
            json=body or {},
            headers={name: value for name, value in headers.items() if value is not None},
        )
    return check_answer(answer)


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


# --- sessions


async def test_it_works(ada: Visitor) -> None:
    assert ada.id.startswith("anon:")
    async with await ada.socket() as socket:
        assert text_of(await socket.ask(ASK)) == "w0 w1 w2 "
    answer = await ada.rest.post("/a/acme-agent/api/chat", {"message": ASK})
    assert answer.json()["content"] == "w0 w1 w2 "
    assert answer.headers["access-control-allow-origin"] == SHOP
    url = f"{ada.url}/api/chat/stream"
    async with await Sse.open(url, ada.token, body={"message": ASK}, headers=ada.headers) as stream:
        assert text_of(await stream.read()) == "w0 w1 w2 "
    assert len((await ada.rest.get("/api/conversations")).json()["conversations"]) == 3


async def test_a_session_tells_what_to_show(server: Server, manager: Rest) -> None:
    shown = {"greeting": "Hello!", "prompts": ["What is new?"], "widget": {"accent": "#0a7"}}
    await manager.request("PATCH", "/api/agents/acme-agent", json=shown)
    answer = await session(server)
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["access-control-allow-origin"] == SHOP
    told = answer.json()
    assert told["agent"].pop("id").startswith("agt_")
    assert told["agent"] == {
        "slug": "acme-agent",
        "name": "acme-agent",
        "greeting": "Hello!",
        "prompts": ["What is new?"],
        "showThinking": False,
        "showTools": False,
        "showUsage": False,
        "ifBusy": "queue",
        "widget": {"accent": "#0a7"},
    }


async def test_a_greeting_needs_no_session(server: Server, secret: str) -> None:
    """It is for the pages that may have a session, and makes none."""
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as client:
        for path in ("/a/acme-agent/api/greeting", "/api/greeting?agentId=acme-agent"):
            answer = check_answer(await client.get(path, headers={"Origin": SHOP}))
            assert answer.json() == (await session(server)).json()["agent"]
            assert answer.headers["cache-control"] == "private, max-age=60"
            assert answer.headers["vary"] == "Origin"
        evil = {"Origin": "https://evil.example"}
        refused = check_answer(await client.get("/a/acme-agent/api/greeting", headers=evil))
        assert code(refused) == (403, "forbidden")
        assert refused.headers["access-control-allow-origin"] == evil["Origin"]
        nobody = await client.get("/a/nobody/api/greeting", headers={"Origin": SHOP})
        assert code(nobody) == (404, "agent_not_found")


async def test_the_agent_is_named_by_host_path_or_body(server: Server) -> None:
    host = {"Host": f"acme-agent.localhost:{server.port}"}
    for answer in (
        await session(server, path="/api/visitor-sessions", headers=host),
        await session(server, {"agentId": "acme-agent"}, path="/api/visitor-sessions"),
    ):
        assert answer.json()["agent"]["slug"] == "acme-agent"
    nameless = await session(server, path="/api/visitor-sessions")
    assert nameless.json()["error"]["details"] == {"field": "agentId"}


STRANGERS = [
    *(None, "null", "", "https://evil.example", "http://shop.example", f"{SHOP}:444", f"{SHOP}/"),
    *(f"{SHOP}.", f"{SHOP}.evil.example", "https://SHOP.example", "https://evilshop.example"),
    *("https://acme.example", "https://evilacme.example", "https://x.acme.example:444"),
    *(f"{SHOP}, https://evil.example", "http://acme-agent.localhost"),
]


async def test_p26_no_other_page_gets_one(server: Server, ada: Visitor) -> None:
    """Nor may it use one that was given to another: on any door."""
    for origin in STRANGERS:
        refused = await session(server, headers={"Origin": origin})
        assert code(refused) == (403, "forbidden"), origin
        assert refused.headers.get("access-control-allow-origin") == origin  # it may read why
        assert "access-control-allow-credentials" not in refused.headers
        headers = {} if origin is None else {"Origin": origin}
        async with Rest(server.url, ada.token) as rest:
            for path in ("/api/conversations", "/a/acme-agent/api/chat/stream?message=x"):
                answer = await rest.request("GET", path, headers=headers)
                assert code(answer) == (403, "forbidden"), origin
                assert "access-control-allow-origin" not in answer.headers
        async with await WebSocket.open(server.ws_url, additional_headers=headers) as socket:
            await socket.send(type="auth", token=ada.token)
            assert await socket.closed() == 4003, origin
            assert socket.events[-1]["code"] == "forbidden"


async def test_every_subdomain_of_a_wildcard_gets_one(server: Server) -> None:
    for origin in ("https://a.acme.example", "https://a.b.acme.example"):
        answer = await session(server, headers={"Origin": origin})
        assert answer.headers["access-control-allow-origin"] == origin


async def test_an_agent_without_visitors_is_like_none(server: Server) -> None:
    server.manage("create_agent", "--org", "acme", "--slug", "closed")
    answers = [
        await session(server, {"agentId": name}, path="/api/visitor-sessions")
        for name in ("closed", "nobody", "a\0b", "../x", "")
    ]
    assert {code(answer) for answer in answers} == {(404, "agent_not_found")}
    both = await session(server, {"agentId": "globex-agent"})
    assert code(both) == (404, "agent_not_found")


async def test_a_session_is_renewed_and_the_visitor_stays(server: Server, ada: Visitor) -> None:
    renewed = (await session(server, {"renew": ada.token})).json()
    assert renewed["visitorId"] == ada.id
    fresh = (await session(server)).json()
    assert fresh["visitorId"] != ada.id


async def test_nobody_renews_what_was_not_given_to_them(server: Server, ada: Visitor) -> None:
    theirs = (await session(server, path="/a/globex-agent/api/visitor-sessions")).json()["token"]
    for token in (
        theirs,
        unsigned(ada.token),
        resigned(ada.token, sub="anon:x"),
        "x",
        "a.b.c",
        server.keys.acme,
        minted("s" * 40, sub="anon:x"),
        "A" * 20000,
    ):
        assert code(await session(server, {"renew": token})) == (401, "invalid_token")
    for wrong in ({"renew": 5}, {"identity": []}, {"agentId": {}}, []):
        assert (await session(server, wrong or [1])).status_code == 400


async def test_a_deleted_agent_is_gone_for_its_visitors(server: Server, manager: Rest) -> None:
    fields = {"name": "x", "slug": "short-lived", "allowedOrigins": [SHOP]}
    await manager.post("/api/agents", fields)
    async with await visit(server, "short-lived") as visitor:
        assert (await visitor.rest.get("/api/conversations")).status_code == 200
        await manager.request("DELETE", "/api/agents/short-lived")
        gone = await visitor.rest.get("/api/conversations")
        assert code(gone) == (404, "agent_not_found")


async def test_an_origin_that_is_no_longer_allowed_is_refused(
    server: Server, manager: Rest
) -> None:
    fields = {"name": "x", "slug": "moving", "allowedOrigins": [SHOP]}
    await manager.post("/api/agents", fields)
    async with await visit(server, "moving") as visitor:
        moved = {"allowedOrigins": ["https://new.example"]}
        await manager.request("PATCH", "/api/agents/moving", json=moved)
        assert code(await visitor.rest.get("/api/conversations")) == (403, "forbidden")
        async with await WebSocket.open(
            f"{visitor.ws_url}?token={visitor.token}", additional_headers=visitor.headers
        ) as socket:
            assert await socket.closed() == 4003


# --- the agent's own users


async def test_a_user_of_the_organisation_keeps_their_conversations(
    server: Server, secret: str
) -> None:
    token = minted(secret, user_id="ada@acme", name="Ada")
    answer = await session(server, {"identity": token})
    assert answer.json()["visitorId"] == "user:ada@acme"
    async with Visitor.of(server, answer.json()) as user:
        run = (await user.rest.post("/api/chat", {"message": ASK})).json()
    # The same user with that token itself: as a program, and on a socket with `?token=`.
    async with Rest(f"{server.url}/a/acme-agent", token) as rest:
        assert (await rest.get(f"/api/runs/{run['runId']}")).status_code == 200
    url = f"ws://127.0.0.1:{server.port}/a/acme-agent/api/ws?token={token}"
    async with await WebSocket.open(url) as socket:
        await socket.until("auth_ok")
        await socket.send(type="resume", runId=run["runId"], lastSeq=0)
        assert text_of([await socket.until("token")]) == "w0 "


async def test_a_bad_identity_closes_with_4001(server: Server, secret: str) -> None:
    """Also one that is good for another agent: it is the named agent's secret that counts."""
    good = minted(secret, user_id="7")
    bad = [unsigned(good), resigned(good, user_id="8"), minted("s" * 40, user_id="7"), "x.y.z"]
    for token in bad:
        assert code(await session(server, {"identity": token})) == (401, "invalid_token")
    cases = [("/a/acme-agent", token) for token in bad]
    cases += [
        (place, token) for place in ("/a/globex-agent", "/a/x", "") for token in (good, bad[0])
    ]
    for place, token in cases:
        url = f"ws://127.0.0.1:{server.port}{place}/api/ws?token={token}"
        async with await WebSocket.open(url) as socket:
            assert await socket.closed() == 4001
        assert socket.connection.close_reason == "Invalid token"
        async with Rest(f"{server.url}{place}", token) as rest:
            assert code(await rest.get("/api/conversations")) == (401, "invalid_token")


async def test_a_session_in_the_address_of_a_socket(ada: Visitor) -> None:
    url = f"{ada.ws_url}?token={ada.token}"
    async with await WebSocket.open(url, additional_headers=ada.headers) as socket:
        await socket.until("auth_ok")
        assert text_of(await socket.ask(ASK)) == "w0 w1 w2 "


# --- the end of a token


async def test_a_second_auth_renews_and_never_changes_who_it_is(
    server: Server, ada: Visitor, bert: Visitor
) -> None:
    async with await ada.socket() as socket:
        again = (await session(server, {"renew": ada.token})).json()["token"]
        await socket.send(type="auth", token=again)
        await socket.until("auth_ok")
        for other in (bert.token, server.keys.acme):
            await socket.send(type="auth", token=other)
            assert (await socket.until("error"))["code"] == "forbidden"
        assert text_of(await socket.ask(ASK)) == "w0 w1 w2 "


async def test_a_socket_ends_with_its_token_and_its_runs_go_on(make_server: Any) -> None:
    """Unless the token is renewed in time. An event stream ends without `done`."""
    server = make_server(CLAW_VISITOR_TTL="7")
    open_to_visitors(server, "acme-agent", allowedOrigins=[SHOP])
    async with (
        await visit(server, "acme-agent") as late,
        await visit(server, "acme-agent") as early,
        await late.socket() as ending,
        await early.socket() as renewed,
    ):
        url, body = f"{late.url}/api/chat/stream", {"message": LONG}
        async with await Sse.open(url, late.token, body=body, headers=late.headers) as stream:
            await ending.send(type="message", content=LONG, onDisconnect="cancel")
            await renewed.send(type="message", content=LONG)
            async with asyncio.TaskGroup() as tasks:
                closing = tasks.create_task(ending.closed())
                token = early.token
                while not (await asyncio.wait([closing], timeout=0.5))[0]:
                    token = (await session(server, {"renew": token})).json()["token"]
                    await renewed.send(type="auth", token=token)
            assert closing.result() == 4001
            assert ending.events[-1]["code"] == "token_expired"
            assert (await stream.read())[-1]["type"] != "done"
        await renewed.send(type="ping")
        await renewed.until("pong")
        stale = await late.rest.get("/a/acme-agent/api/conversations")
        assert code(stale) == (401, "token_expired")
        assert stale.headers["access-control-allow-origin"] == SHOP
        answer = await session(server, {"renew": late.token})
        run_id = next(event["runId"] for event in ending.events if "runId" in event)
        async with (
            Visitor.of(server, answer.json()) as again,
            await again.socket() as socket,
        ):
            seen = max(event["seq"] for event in ending.events if "seq" in event)
            await socket.send(type="resume", runId=run_id, lastSeq=seen)
            await socket.until("token")
            await again.rest.post(f"/api/runs/{run_id}/cancel")


# --- limits


async def test_one_visitor_cannot_lock_out_the_rest(make_server: Any) -> None:
    """C29: who is refused takes nothing of what all share; messages, days and connections."""
    server = make_server(CLAW_VISITOR_MESSAGES_PER_AGENT="8", CLAW_VISITOR_CONNECTIONS="2")
    open_to_visitors(
        server,
        "acme-agent",
        allowedOrigins=[SHOP],
        visitorMessagesPerMinute=3,
        visitorMessagesPerDay=4,
    )
    async with (
        await visit(server, "acme-agent") as greedy,
        await visit(server, "acme-agent") as kind,
    ):
        answers = [await greedy.rest.post("/api/chat", {"message": ASK}) for _ in range(20)]
        assert [answer.status_code for answer in answers] == [200] * 3 + [429] * 17
        assert 0 < answers[-1].json()["error"]["retryAfter"] <= 60_000
        for _ in range(3):
            assert (await kind.rest.post("/api/chat", {"message": ASK})).status_code == 200
        async with await greedy.socket() as first, await greedy.socket():
            await first.send(type="message", content=ASK)
            assert (await first.until("error"))["code"] == "rate_limited"
            async with await WebSocket.open(
                greedy.ws_url, additional_headers=greedy.headers
            ) as late:
                await late.send(type="auth", token=greedy.token)
                assert await late.closed() == 4029
            async with await kind.socket() as socket:
                await socket.send(type="ping")
                await socket.until("pong")
