"""Editing a message and sending it again, and thumbs: over a real server."""

import asyncio
import json

import httpx

from tests.live.clients import Rest, Sse, WebSocket, text_of
from tests.live.raw import new_tag
from tests.live.server import Server
from tests.live.visiting import Visitor
from tests.upstream.process import UpstreamProcess

ASK = "go [[upstream tokens=3]]"
LONG = "go [[upstream tokens=2000 delay=10]]"


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def talk(rest: Rest, *texts: str) -> tuple[str, list[str]]:
    """A new conversation with these messages; its name, and the ids of what the user said."""
    name = new_tag()
    for text in texts:
        body = {"message": f"{text} [[upstream tokens=1]]", "conversationId": name}
        assert (await rest.post("/api/chat", body)).status_code == 200
    said = [each["id"] for each in await rest.messages(name) if each["role"] == "user"]
    return name, said


async def test_it_works(rest: Rest, upstream: UpstreamProcess) -> None:
    """The message and all after it are gone, from the history and for the model."""
    name, said = await talk(rest, "first", "second", "third")
    tag = new_tag()
    body = {"message": f"better [[upstream tokens=2 tag={tag}]]", "replaces": said[1]}
    answer = (await rest.post("/api/chat", body)).json()
    assert answer["conversationId"] == name

    history = await rest.messages(name)
    assert [each["content"].split(" [[")[0] for each in history] == [
        "first",
        "w0 ",
        "better",
        "w0 w1 ",
    ]
    (asked,) = upstream.requests(tag)
    sent = json.dumps(asked)
    assert "first" in sent and "better" in sent
    assert "second" not in sent and "third" not in sent
    # What was replaced is a message no more, for nobody.
    for gone in said[1:]:
        again = await rest.post("/api/chat", {"message": ASK, "replaces": gone})
        assert code(again) == (404, "message_not_found")


async def test_the_first_message_may_be_replaced_too(rest: Rest) -> None:
    name, said = await talk(rest, "first", "second")
    path = f"/api/conversations/{name}/messages"
    await rest.post(path, {"content": ASK, "replaces": said[0]})
    assert [each["content"] for each in await rest.messages(name)] == [ASK, "w0 w1 w2 "]


async def test_what_is_being_answered_is_stopped_and_other_tabs_are_told(
    rest: Rest, ws: WebSocket, server: Server
) -> None:
    """Also what waits behind it; the new message is answered next."""
    name = new_tag()
    async with await WebSocket.open(server.ws_url, server.keys.acme) as tab:
        await ws.send(type="message", content=LONG, conversationId=name)
        started = await ws.until("run_started")
        await ws.send(type="message", content=LONG, conversationId=name)
        waiting = await ws.until("run_started")
        await tab.send(type="subscribe", conversationId=name)
        await tab.until("token")
        await ws.send(type="message", content=ASK, replaces=started["userMessageId"])
        told = await tab.until("run_started", where=lambda e: e.get("replaces") is not None)
        assert told["replaces"] == started["userMessageId"]
        await tab.until("done", where=lambda event: event["runId"] == told["runId"])
    ended = {event["runId"]: event["reason"] for event in tab.events if event["type"] == "done"}
    assert ended.items() >= {started["runId"]: "cancelled", told["runId"]: "complete"}.items()
    stopped = await rest.get(f"/api/runs/{waiting['runId']}")
    assert stopped.json()["status"] == "cancelled"
    assert [each["content"] for each in await rest.messages(name)] == [ASK, "w0 w1 w2 "]


async def test_the_same_edit_sent_twice_is_one(rest: Rest) -> None:
    name, said = await talk(rest, "first")
    body = {"message": ASK, "replaces": said[0], "clientMessageId": new_tag()}
    answers = await asyncio.gather(*(rest.post("/api/chat", body) for _ in range(4)))
    assert len({answer.json()["runId"] for answer in answers}) == 1
    assert len(await rest.messages(name)) == 2


async def test_two_edits_of_the_same_moment_are_one_and_a_refusal(rest: Rest) -> None:
    name, said = await talk(rest, "first")
    body = {"message": ASK, "replaces": said[0]}
    answers = await asyncio.gather(*(rest.post("/api/chat", body) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 404, 404, 404]
    assert len(await rest.messages(name)) == 2


async def test_what_cannot_be_replaced_is_refused_and_nothing_happens(
    rest: Rest, ada: Visitor, server: Server
) -> None:
    name, said = await talk(rest, "first")
    other, _ = await talk(rest, "other")
    answered = (await rest.messages(name))[1]["id"]
    theirs = (await talk(ada.rest, "hers"))[1][0]
    async with Rest(server.url, server.keys.globex) as globex:
        foreign = (await talk(globex, "theirs"))[1][0]
    for replaces in (answered, theirs, foreign, "msg_missing", "", "a\0b"):
        refused = await rest.post("/api/chat", {"message": ASK, "replaces": replaces})
        assert code(refused) == (404, "message_not_found"), replaces
    elsewhere = {"message": ASK, "replaces": said[0], "conversationId": other}
    assert code(await rest.post("/api/chat", elsewhere)) == (404, "message_not_found")
    own = {"messages": [{"role": "user", "content": "x"}], "replaces": said[0]}
    assert code(await rest.post("/api/chat", own)) == (400, "invalid_message")
    assert code(await rest.post("/api/chat", {"message": ASK, "replaces": 5})) == (
        400,
        "invalid_message",
    )
    assert len(await rest.messages(name)) == len(await rest.messages(other)) == 2


async def test_a_visitor_edits_their_own_over_an_event_stream(ada: Visitor) -> None:
    name, said = await talk(ada.rest, "first")
    body = {"message": ASK, "replaces": said[0]}
    url = f"{ada.url}/api/chat/stream"
    async with await Sse.open(url, ada.token, body=body, headers=ada.headers) as stream:
        events = await stream.read()
    assert (events[0]["replaces"], text_of(events)) == (said[0], "w0 w1 w2 ")
    assert len(await ada.rest.messages(name)) == 2


# --- thumbs


async def test_an_answer_is_rated_and_the_rating_taken_back(ada: Visitor) -> None:
    name, said = await talk(ada.rest, "first")
    answer = (await ada.rest.messages(name))[1]
    path = f"/api/messages/{answer['id']}/feedback"
    for feedback in ({"rating": "up"}, {"rating": "down", "comment": "No."}):
        rated = await ada.rest.request("PUT", path, json=feedback)
        assert rated.json() == answer | {"feedback": feedback}
        assert (await ada.rest.messages(name))[1]["feedback"] == feedback
    await ada.rest.request("PUT", path, json={"rating": None, "comment": "x"})
    assert (await ada.rest.messages(name))[1] == answer
    for wrong in ({}, {"rating": "sideways"}, {"rating": "up", "comment": "x" * 2001}):
        assert code(await ada.rest.request("PUT", path, json=wrong)) == (400, "invalid_message")
    mine = f"/api/messages/{said[0]}/feedback"  # a question is not rated
    assert code(await ada.rest.request("PUT", mine, json={"rating": "up"})) == (
        404,
        "message_not_found",
    )


async def test_an_answer_is_rated_after_another_came_in_its_place(ada: Visitor) -> None:
    name, said = await talk(ada.rest, "first")
    earlier = (await ada.rest.messages(name))[1]["id"]
    assert (
        await ada.rest.post("/api/chat", {"message": ASK, "replaces": said[0]})
    ).status_code == 200
    rated = await ada.rest.request(
        "PUT", f"/api/messages/{earlier}/feedback", json={"rating": "up"}
    )
    assert (rated.status_code, rated.json()["feedback"]) == (200, {"rating": "up"})
    current = (await ada.rest.messages(name))[0]["id"]
    versions = (await ada.rest.get(f"/api/messages/{current}/versions")).json()["messages"]
    assert [each.get("feedback") for each in versions] == [None, {"rating": "up"}, None, None]


async def test_p27_nobody_rates_the_answers_of_others(
    ada: Visitor, bert: Visitor, rest: Rest
) -> None:
    name, _ = await talk(ada.rest, "first")
    answer = (await ada.rest.messages(name))[1]["id"]
    for stranger in (bert.rest, rest):
        refusals = [
            await stranger.request("PUT", f"/api/messages/{each}/feedback", json={"rating": "up"})
            for each in (answer, "msg_missing")
        ]
        assert {code(refusal) for refusal in refusals} == {(404, "message_not_found")}
    assert "feedback" not in (await ada.rest.messages(name))[1]


# --- versions, and what one thinks of the whole


async def test_what_was_replaced_can_be_read(ada: Visitor, bert: Visitor) -> None:
    name, said = await talk(ada.rest, "first", "second")
    versions = ["1", "2", "3"]
    current = said[0]
    for number in versions[1:]:
        body = {"message": f"{number} [[upstream tokens={number}]]", "replaces": current}
        assert (await ada.rest.post("/api/chat", body)).status_code == 200
        current = (await ada.rest.messages(name))[0]["id"]
    question, answer = await ada.rest.messages(name)
    assert (question["version"], "version" in answer) == (3, False)
    path = f"/api/messages/{current}/versions"
    page = (await ada.rest.get(path)).json()
    shown = [(each["role"], each["content"].split(" [[")[0]) for each in page["messages"]]
    assert shown == [
        *(("user", "first"), ("assistant", "w0 ")),
        *(("user", "2"), ("assistant", "w0 w1 ")),
        *(("user", "3"), ("assistant", "w0 w1 w2 ")),
    ]
    assert [each.get("version") for each in page["messages"][::2]] == [None, 2, 3]
    assert page["messages"][-2:] == [question, answer]
    newest = (await ada.rest.get(path, limit=2)).json()
    assert newest["messages"] == [question, answer]
    rest = (await ada.rest.get(path, limit=4, before=newest["nextCursor"])).json()
    assert rest == {"messages": page["messages"][:4], "nextCursor": None}
    for stranger, asked in ((bert, current), (ada, said[0]), (ada, answer["id"])):
        refused = await stranger.rest.get(f"/api/messages/{asked}/versions")
        assert code(refused) == (404, "message_not_found")


async def test_a_conversation_is_rated_and_the_rating_taken_back(
    ada: Visitor, bert: Visitor
) -> None:
    name, _ = await talk(ada.rest, "first")
    path = f"/api/conversations/{name}"
    before = (await ada.rest.get(path)).json()
    for rating in ({"rating": 5}, {"rating": 1, "comment": "No."}):
        rated = await ada.rest.request("PUT", f"{path}/rating", json=rating)
        assert rated.json() == before | {"rating": rating}
        assert (await ada.rest.get(path)).json() == rated.json()
    await ada.rest.request("PUT", f"{path}/rating", json={"rating": None, "comment": "x"})
    assert (await ada.rest.get(path)).json() == before
    for wrong in ({}, {"rating": 0}, {"rating": 6}, {"rating": "5"}, {"rating": 2.5}):
        refused = await ada.rest.request("PUT", f"{path}/rating", json=wrong)
        assert code(refused) == (400, "invalid_message")
    stranger = await bert.rest.request("PUT", f"{path}/rating", json={"rating": 5})
    assert code(stranger) == (404, "conversation_not_found")
