"""Several processes serve: what holds in one holds across them, and any of them may go."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from statistics import quantiles

import websockets

from tests.live.clients import Event, Rest, WebSocket
from tests.live.installation import LEASE_SECONDS
from tests.live.raw import new_tag, until
from tests.live.scaled.asking import Asker, ended, query, under_way
from tests.live.scaled.stack import Stack
from tests.live.server import Server
from tests.live.test_management import make_agent, manager
from tests.live.watching import Watch, check_history, check_run
from tests.upstream import expected_text
from tests.upstream.process import UpstreamProcess

LIMIT, AT_ONCE = 100, 130  # P17
MANY, TOKENS = 200, 150  # streams, and what each has
TOLD = 1.0  # seconds; what is remembered of an agent would hold for five
SLOTS_BACK = 3.0 + 2.0  # seconds: the lease of a process's slots, and a look
WHOLE = expected_text("tokens=200")


async def places(webs: list[Server], count: int) -> list[WebSocket]:
    """Ask for so many authenticated sockets at once, everywhere; those that got one."""

    async def place(number: int) -> WebSocket | None:
        web = webs[number % len(webs)]
        try:
            return await WebSocket.open(web.ws_url, web.keys.acme)
        except websockets.ConnectionClosed:
            return None

    found = await asyncio.gather(*(place(number) for number in range(count)))
    return [socket for socket in found if socket is not None]


async def test_it_works_whichever_process_a_client_comes_to(
    server: Stack, upstream: UpstreamProcess
) -> None:
    """P2, P9: three readers of one run, each connection at another process than the one before."""
    tag = new_tag()
    first = Watch(server)
    await first.sse({"message": f"[[upstream tokens=200 delay=5 tag={tag}]]"}, tokens=1)
    watches = [first, Watch(server, first.run_id), Watch(server, first.run_id)]

    async def read(watch: Watch, tokens: int) -> None:
        while not watch.done:
            await watch.ws(tokens=tokens)
            if not watch.done:
                await watch.sse(path=f"/api/runs/{watch.run_id}/events", tokens=tokens)

    await asyncio.gather(*(read(w, n) for w, n in zip(watches, (7, 23, 61), strict=True)))
    async with Rest(server.url, server.keys.acme) as rest:
        for watch in watches:
            check_run(watch.events, WHOLE)
            await check_history(rest, watch.events)
    assert upstream.stats(tag)["requests"] == 1


async def test_twenty_posts_with_one_idempotency_key_are_one(
    server: Stack, upstream: UpstreamProcess
) -> None:
    """P7: at two processes at once; one message, one model call, one answer."""
    tag = new_tag()
    body = {"message": f"[[upstream tokens=20 tag={tag}]]"}

    async def post(web: Server) -> tuple[int, Event]:
        async with Rest(web.url, web.keys.acme) as rest:
            while True:
                answer = await rest.post("/api/chat", body, headers={"Idempotency-Key": tag})
                if answer.status_code != 409:  # it is being answered: come back
                    return answer.status_code, answer.json()

    answers = await asyncio.gather(*(post(web) for web in server.webs * 10))
    assert answers == [(200, answers[0][1])] * 20
    assert upstream.stats(tag)["requests"] == 1


async def test_a_change_at_one_process_holds_at_the_other(server: Stack) -> None:
    """As soon as it is told, and not only when what the other remembers has ended."""
    here, there = server.webs
    key = manager(server, "acme")
    async with Rest(here.url, key) as rest, Rest(there.url, key) as other:
        agent = await make_agent(rest, provider="anthropic", model="claude-a")
        question = {"message": "go [[upstream tokens=1]]", "agentId": agent["id"]}

        async def model() -> str:
            return str((await other.post("/api/chat", question)).json()["usage"]["model"])

        assert await model() == "claude-a"
        changed = {"model": "claude-b"}
        await rest.request("PATCH", f"/api/agents/{agent['id']}", json=changed)
        async with asyncio.timeout(TOLD):
            while await model() != "claude-b":
                pass


async def test_connections_are_exact_across_processes(make_server: Callable[..., Stack]) -> None:
    """P17: of 130 at once, at two processes, exactly 100 get a place; when one is killed with
    half of them, its places are free again within its lease."""
    stack = await asyncio.to_thread(make_server)
    sockets = await places(stack.webs, AT_ONCE)
    assert len(sockets) == LIMIT
    assert not await places(stack.webs, 2)
    victim, other = stack.webs
    held = sum(socket.connection.remote_address[1] == victim.port for socket in sockets)
    await asyncio.to_thread(victim.kill)
    killed = time.monotonic()
    async with asyncio.timeout(SLOTS_BACK):
        while len(more := await places([other], 1)) == 0:
            pass
    assert time.monotonic() - killed < SLOTS_BACK
    more += await places([other], AT_ONCE)
    assert len(more) == held
    for socket in sockets + more:
        if not socket.connection.transport.is_closing():
            socket.cut()


async def test_clients_of_a_killed_process_go_on_at_the_other(
    make_server: Callable[..., Stack],
) -> None:
    """P1, P2: the runs are elsewhere and do not even notice."""
    stack = await asyncio.to_thread(make_server)
    askers = await under_way(stack, 20)
    victim = stack.webs[0]
    await asyncio.to_thread(victim.kill)
    begun = time.monotonic()
    await ended(askers)
    assert time.monotonic() - begun < 2 * LEASE_SECONDS
    assert sum(asker.broken for asker in askers) > 0
    async with Rest(stack.url, stack.keys.acme) as rest:
        for asker in askers:
            assert check_run(asker.watch.events, WHOLE)["type"] == "message_complete"
            await check_history(rest, asker.watch.events)


async def test_a_process_that_leaves_tells_its_clients(make_server: Callable[..., Stack]) -> None:
    """P8: `reconnect` and 1012 within a second; a request that waits for its whole answer gets it;
    runs go on, and nobody loses a token."""
    stack = await asyncio.to_thread(make_server)
    leaving = stack.webs[0]
    askers = await under_way(stack, 10)
    async with (
        Rest(leaving.url, stack.keys.acme) as rest,
        await WebSocket.open(leaving.ws_url, stack.keys.acme) as idle,
    ):
        tag = new_tag()
        content = f"[[upstream tokens=200 delay=15 tag={tag}]]"
        waiting = asyncio.create_task(rest.post("/api/chat", {"message": content}))
        await until(
            lambda: query(
                stack,
                "SELECT 1 FROM conversations_message WHERE role = 'user' AND content = %s",
                content,
            )
        )
        leaving.terminate()
        begun = time.monotonic()
        assert await idle.closed() == 1012
        assert idle.events[-1]["type"] == "reconnect"
        assert time.monotonic() - begun < 1.0
        answer = await waiting
        assert (answer.status_code, answer.json()["content"]) == (200, WHOLE)
    assert await asyncio.to_thread(leaving.wait) == 0
    await ended(askers)
    for asker in askers:
        assert check_run(asker.watch.events, WHOLE)["type"] == "message_complete"


async def test_one_organisation_at_its_limits_does_not_starve_another(
    make_server: Callable[..., Stack],
) -> None:
    """P20: globex asks 100 questions at once on 100 connections; acme's first token still comes
    within twice what it takes alone, or half a second where that is nothing."""
    stack = await asyncio.to_thread(make_server, CLAW_MAX_MESSAGES_PER_MINUTE="1000")
    alone = await first_tokens(stack, 20)
    async with AsyncExitStack() as crowd:
        sockets = await asyncio.gather(
            *(WebSocket.open(stack.ws_url, stack.keys.globex) for _ in range(LIMIT))
        )
        for socket in sockets:
            await crowd.enter_async_context(socket)
            await socket.send(type="message", content="[[upstream tokens=2000 delay=50]]")
        await asyncio.gather(*(socket.until("token") for socket in sockets))
        beside = await first_tokens(stack, 20)
        await asyncio.gather(*(socket.send(type="cancel") for socket in sockets))
        await asyncio.gather(*(socket.until("done") for socket in sockets))
    assert p95(beside) < max(2 * p95(alone), 0.5), (p95(alone), p95(beside))


async def first_tokens(stack: Stack, count: int) -> list[float]:
    """Seconds to the first token, one question after the other."""
    found = []
    for _ in range(count):
        async with await WebSocket.open(stack.ws_url, stack.keys.acme) as socket:
            begun = time.monotonic()
            await socket.send(type="message", content="[[upstream tokens=2]]")
            await socket.until("token")
            found.append(time.monotonic() - begun)
            await socket.until("done")
    return found


def p95(values: list[float]) -> float:
    return quantiles(values, n=20)[-1]


async def test_one_web_then_one_worker_die_under_many_streams(
    make_server: Callable[..., Stack], record_property: Callable[[str, object], None]
) -> None:
    """P1, P2, P4, P5: every run ends, nothing is lost or comes twice; agents that go on, go on."""
    stack = await asyncio.to_thread(
        make_server, CLAW_MAX_CONNECTIONS_PER_AGENT="1000", CLAW_MAX_MESSAGES_PER_MINUTE="1000"
    )
    query(stack, "UPDATE agents_agent SET on_crash = 'continue'")
    askers = [Asker(stack, f"[[upstream tokens={TOKENS} delay=100]]") for _ in range(MANY)]
    await every(askers, TOKENS // 5)
    begun = time.monotonic()
    await asyncio.to_thread(stack.webs[0].kill)
    await every(askers, 2 * TOKENS // 5)
    await asyncio.to_thread(stack.workers[0].kill)
    async with asyncio.timeout(90):
        await ended(askers)
    outcomes = [check_run(asker.watch.events)["type"] for asker in askers]
    assert outcomes == ["message_complete"] * MANY
    async with Rest(stack.url, stack.keys.acme) as rest:
        for asker in askers[:: MANY // 20]:
            await check_history(rest, asker.watch.events)
    continued = sum(any(e.get("stage") == "continued" for e in a.watch.events) for a in askers)
    assert continued > 0
    record_property("seconds from the first death to the last end", time.monotonic() - begun)
    record_property("broken connections", sum(asker.broken for asker in askers))
    record_property("continued", continued)


async def every(askers: list[Asker], tokens: int) -> None:
    """Return when each has seen so many tokens, or its end."""
    await asyncio.gather(
        *(a.watch.until(lambda w=a.watch: w.done or w.tokens >= tokens) for a in askers)
    )
