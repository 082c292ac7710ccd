"""P7: a request that is sent again is carried out once."""

import asyncio

from tests.live.clients import Event, Rest, Sse, text_of
from tests.live.raw import call_of, new_tag
from tests.live.server import Server
from tests.live.test_management import make_agent, manager
from tests.upstream.process import UpstreamProcess

PARALLEL = 20


def ask(tag: str, directive: str = "tokens=5 delay=20") -> str:
    return f"go [[upstream {directive} tag={tag}]]"


def named(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


async def test_it_works(rest: Rest, upstream: UpstreamProcess) -> None:
    """P7: 20 at the same moment: one model call, and all get its answer."""
    tag = new_tag()
    body, headers = {"message": ask(tag)}, named(f"it is {tag}!")
    answers = await asyncio.gather(
        *(rest.post("/api/chat", body, headers=headers) for _ in range(PARALLEL))
    )
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert upstream.stats(tag)["requests"] == 1
    conversation = answers[0].json()["conversationId"]
    assert [message["role"] for message in await rest.messages(conversation)] == [
        "user",
        "assistant",
    ]


async def test_a_stream_starts_from_the_beginning_again(
    server: Server, upstream: UpstreamProcess
) -> None:
    """P7: on every transport, also while the first answer is still being produced."""
    tag = new_tag()
    body, headers = {"message": ask(tag)}, named(tag)

    async def stream() -> list[Event]:
        url = f"{server.url}/api/chat/stream"
        async with await Sse.open(url, server.keys.acme, body=body, headers=headers) as events:
            return list(await events.read())

    first, second = await asyncio.gather(stream(), stream())
    assert first == second == await stream()
    assert text_of(first) == "w0 w1 w2 w3 w4 "
    assert first[0]["clientMessageId"] == tag
    assert upstream.stats(tag)["requests"] == 1


async def test_the_conversation_route_takes_the_key_too(
    rest: Rest, upstream: UpstreamProcess
) -> None:
    tag = new_tag()
    await rest.post("/api/conversations", {"id": tag})
    path, body = f"/api/conversations/{tag}/messages", {"content": ask(tag)}
    answers = [(await rest.post(path, body, headers=named(tag))).json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert upstream.stats(tag)["requests"] == 1


async def test_another_message_under_the_same_key_is_a_conflict(rest: Rest) -> None:
    tag = new_tag()
    await rest.post("/api/chat", {"message": ask(tag)}, headers=named(tag))
    other = await rest.post("/api/chat", {"message": "something else"}, headers=named(tag))
    assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency_conflict")


async def test_the_key_and_a_client_message_id_are_one_namespace(
    rest: Rest, upstream: UpstreamProcess
) -> None:
    tag = new_tag()
    body = {"message": ask(tag)}
    first = await rest.post("/api/chat", body | {"clientMessageId": tag})
    second = await rest.post("/api/chat", body, headers=named(tag))
    assert first.json() == second.json()
    both = await rest.post("/api/chat", body | {"clientMessageId": tag}, headers=named("x"))
    assert both.json()["error"]["details"] == {"field": "clientMessageId"}
    assert upstream.stats(tag)["requests"] == 1


async def test_a_retry_after_a_kill_gets_the_first_answer(
    make_server, upstream: UpstreamProcess
) -> None:
    """P7: what was answered or made before SIGKILL is not done again after it, and an answer
    outlives its events."""
    # A worker's heart beats within the lease also where all cores are busy: else another goes on.
    server = make_server(CLAW_LOG_RETENTION="0.1", CLAW_RUN_LEASE="3")
    tag = new_tag()
    requests = [
        ("/api/chat", {"message": ask(tag)}),
        ("/api/conversations", {"title": "Third quarter"}),
        ("/api/agents", {"name": "Helper"}),
    ]

    async def answers() -> list[Event]:
        async with Rest(server.url, key) as rest:
            found = [
                await rest.post(path, body, headers=named(f"{tag} {path}"))
                for path, body in requests
            ]
            return [answer.json() for answer in found]

    scopes = "chat,conversations:write,agents:write"
    key = manager(server, "acme", scopes)
    requests[0][1]["agentId"] = requests[1][1]["agentId"] = "acme-agent"
    first = await answers()
    server.kill()
    await asyncio.to_thread(server.start)
    assert await answers() == first
    assert first[2]["slug"] == "helper"
    assert upstream.stats(tag)["requests"] == 1


async def test_of_parallel_duplicates_one_is_carried_out(server: Server) -> None:
    """P7: for what makes rows, too."""
    async with Rest(server.url, manager(server, "acme")) as rest:
        body, headers = {"name": new_tag()}, named(new_tag())
        made = await asyncio.gather(
            *(rest.post("/api/agents", body, headers=headers) for _ in range(PARALLEL))
        )
        assert {answer.status_code for answer in made} == {201}
        assert len({answer.text for answer in made}) == 1
        assert len({answer.headers["etag"] for answer in made}) == 1
        other = await rest.post("/api/agents", body | {"model": "x"}, headers=headers)
        assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency_conflict")
        elsewhere = await rest.post("/api/conversations", body, headers=headers)
        assert elsewhere.status_code == 422


async def test_a_secret_is_not_remembered(server: Server) -> None:
    """P23, P30: the second answer is the same but for the key, which nobody can show again."""
    async with Rest(server.url, manager(server, "acme")) as rest:
        agent = await make_agent(rest)
        path, headers = f"/api/agents/{agent['id']}/keys", named(new_tag())
        first = (await rest.post(path, {"scopes": ["chat"]}, headers=headers)).json()
        second = (await rest.post(path, {"scopes": ["chat"]}, headers=headers)).json()
        secret = first.pop("apiKey")
        assert first == second
        assert len((await rest.get(path)).json()["keys"]) == 1 + 1  # the one that made the agent
    assert secret.split("_")[2].encode() not in server.stored()


async def test_a_late_retry_of_a_stop_stops_nothing_new(
    rest: Rest, upstream: UpstreamProcess
) -> None:
    conversation, headers = new_tag(), named(new_tag())
    await rest.post("/api/conversations", {"id": conversation})
    path = f"/api/conversations/{conversation}/cancel"
    first = await rest.post(path, headers=headers)
    assert first.json() == {"cancelled": []}
    tag = new_tag()
    asked = {"message": ask(tag), "conversationId": conversation}
    asking = asyncio.create_task(rest.post("/api/chat", asked))
    await call_of(upstream, tag)
    assert (await rest.post(path, headers=headers)).text == first.text
    assert (await asking).json()["stopReason"] == "end_turn"


async def test_a_key_is_at_most_255_printable_characters(rest: Rest) -> None:
    for key, status in (("k" * 255, 201), ("k" * 256, 400), ("é", 400), ("", 400)):
        answer = await rest.post(
            "/api/conversations", {}, headers={b"Idempotency-Key": key.encode()}
        )
        assert answer.status_code == status, key
