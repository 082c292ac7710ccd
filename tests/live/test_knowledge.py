"""Documents of an agent, with a real server: the examples of docs/knowledge.md as they stand there,
and the same by REST."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.documents import code
from tests.engine.http.servers import serving
from tests.engine.http.test_page import answering, ok
from tests.knowledge.extraction import files
from tests.live.belongings import master_key
from tests.live.clients import Event, Rest, WebSocket
from tests.live.programs import run
from tests.live.server import Server

PAGE = b"<title>Prices</title><p>Tea costs three euros."
SETTINGS = {"CLAW_ALLOW_PRIVATE_NETWORKS": "127.0.0.0/8"}
"""The page that is a document comes from here."""
DOCUMENTS = "/api/agents/acme-agent/documents"


async def ready(manager: Rest, document_id: str) -> dict[str, Any]:
    """The document, once it is not queued any more."""
    async with asyncio.timeout(60):
        while True:
            answer = await manager.request("GET", f"{DOCUMENTS}/{document_id}")
            if answer.json()["status"] != "queued":
                return dict(answer.json())
            await asyncio.sleep(0.1)


async def found(manager: Rest, query: str) -> list[dict[str, Any]]:
    answer = await manager.request("POST", "/api/agents/acme-agent/search", json={"query": query})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["results"])


async def test_the_examples_work(
    server: Server, manager: Rest, manager_token: str, tmp_path: Path, ws: WebSocket
) -> None:
    *adding, searching, allowing = code("docs/knowledge.md", "sh")
    async with serving(answering(ok(PAGE, "text/html"))) as web:
        page = f"http://127.0.0.1:{web.port}/prices"
        texts = [each.text.replace("https://example.com/prices", page) for each in adding]
        printed = [await example(text, server, manager_token, tmp_path) for text in texts]
        assert [document["title"] for document in printed] == ["Refunds", "Parking", page]
        documents = [await ready(manager, document["id"]) for document in printed]
    assert {document["status"] for document in documents} == {"ready"}
    assert documents[2]["title"] == "Prices"
    results = (await example(searching.text, server, manager_token, tmp_path))["results"]
    (shown,) = (json.loads(each.text)["results"] for each in code("docs/knowledge.md", "json"))
    assert results[0].keys() == shown[0].keys()
    assert results[0]["excerpt"] == shown[0]["excerpt"]
    agent = await example(allowing.text, server, manager_token, tmp_path)
    assert agent["tools"] == [{"builtin": "search_knowledge"}]
    check_answer(await ws.ask("/delay 1\n/echo How long does a refund take?"))


def check_answer(events: list[Event]) -> None:
    """The statuses, then the sources, then the answer."""
    told = [event for event in events if event["type"] in ("status", "sources", "token")]
    assert [event.get("stage", event["type"]) for event in told][:5] == [
        *("thinking", "searching", "found", "sources", "generating"),
    ]
    sources = told[3]["sources"]
    assert told[2]["message"] == f"Found {len(sources)} relevant sources"
    assert sources[0]["excerpt"] == "Money comes back within five working days."
    assert events[-1]["type"] == "done"


async def example(text: str, server: Server, token: str, folder: Path) -> Any:
    program = folder / "example.sh"
    text = text.replace("127.0.0.1:8000", f"127.0.0.1:{server.port}")
    program.write_text(f"cd {folder}\n{text.replace('helpdesk', 'acme-agent')}")
    return json.loads(await run("sh", program, API_KEY=token))


@pytest.mark.parametrize(
    ("name", "content", "excerpt"),
    [
        ("a.pdf", files.pdf("The zeppelin lands."), "The zeppelin lands."),
        ("a.docx", files.docx(), "They take five days.\n\nTea | 3"),
        ("a.html", b"<h1>x</h1><p>The <b>zeppelin</b>.", "The zeppelin."),
        ("a.csv", b"name,way\nzeppelin,air", "name: zeppelin; way: air"),
    ],
)
async def test_p39_a_file_is_found_until_it_is_deleted(
    manager: Rest, name: str, content: bytes, excerpt: str
) -> None:
    answer = await manager.request("POST", DOCUMENTS, files={"file": (name, content)})
    assert answer.status_code == 202, answer.text
    document = await ready(manager, answer.json()["id"])
    assert (document["status"], document["title"]) == ("ready", name)
    query = "zeppelin" if b"zeppelin" in content or name == "a.pdf" else "five days tea"
    results = await found(manager, query)
    assert excerpt in [each["excerpt"] for each in results if each["title"] == name]
    assert (await manager.request("DELETE", f"{DOCUMENTS}/{document['id']}")).status_code == 204
    assert name not in [each["title"] for each in await found(manager, query)]


async def test_what_is_sent_twice_is_one_document(manager: Rest) -> None:
    body = {"title": "Once", "text": "Only once."}
    headers = {"Idempotency-Key": "only-once"}
    first, second = [
        (await manager.request("POST", DOCUMENTS, json=body, headers=headers)).json()
        for _ in range(2)
    ]
    assert first == second


async def test_p24_a_strangers_document_is_none(server: Server, manager: Rest) -> None:
    body = {"title": "Ours", "text": "Our text."}
    made = (await manager.post(DOCUMENTS, body)).json()
    async with Rest(server.url, master_key(server, "globex")) as stranger:
        assert (await stranger.get(f"{DOCUMENTS}/{made['id']}")).status_code == 404
        assert (await stranger.get(DOCUMENTS)).status_code == 404


async def test_a_large_file_is_taken_and_a_larger_one_refused(manager: Rest) -> None:
    large = b"word " * (5 * 1024 * 1024 // 5)
    headers = {"Idempotency-Key": "large"}
    answer = await manager.request(
        "POST", DOCUMENTS, files={"file": ("large.txt", large)}, headers=headers
    )
    assert answer.status_code == 202, answer.text
    assert answer.json()["bytes"] == len(large)
    assert (
        await manager.request("DELETE", f"{DOCUMENTS}/{answer.json()['id']}")
    ).status_code == 204
    too_large = b"x" * (20 * 1024 * 1024 + 1)
    answer = await manager.request("POST", DOCUMENTS, files={"file": ("larger.txt", too_large)})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "message_too_large")
