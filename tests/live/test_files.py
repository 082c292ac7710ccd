"""Files of messages with a real server: what both kinds of model server are sent, byte for byte."""

import base64
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.files.samples import bomb, image, photo
from tests.knowledge.extraction import files
from tests.live.belongings import master_key
from tests.live.clients import Rest, WebSocket
from tests.live.installation import Installation
from tests.live.scaled.stack import Stack
from tests.live.server import Server
from tests.upstream.process import UpstreamProcess

PDF = files.pdf("Hi")
MODELS = {"anthropic": "claude-sonnet-5-5", "openai": "gpt-4o"}


@pytest.fixture(scope="module")
def server(
    installation: Installation,
    upstream: UpstreamProcess,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server | Stack]:
    settings = {"OPENAI_API_KEY": "sk-live-tests", "OPENAI_BASE_URL": f"{upstream.url}/v1"}
    with installation.deployed(tmp_path_factory.mktemp("server"), **settings) as server:
        yield server.start()


async def use(manager: Rest, **fields: str) -> None:
    answer = await manager.request("PATCH", "/api/agents/acme-agent", json=fields)
    assert answer.status_code == 200, answer.text


@pytest.fixture(params=["anthropic", "openai"])
async def provider(request: pytest.FixtureRequest, manager: Rest) -> AsyncIterator[str]:
    await use(manager, provider=request.param, model=MODELS[request.param])
    yield request.param


async def sent(rest: Rest, name: str, content: bytes) -> dict[str, Any]:
    answer = await rest.request("POST", "/api/files", files={"file": (name, content)})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def asked(upstream: UpstreamProcess, tag: str) -> list[Any]:
    """The contents of the messages of the last request."""
    return [message["content"] for message in upstream.requests(tag)[-1]["body"]["messages"]]


def in_form(provider: str, picture: str, pdf: str) -> list[dict[str, Any]]:
    if provider == "anthropic":
        png = {"type": "base64", "media_type": "image/png", "data": picture}
        paper = {"type": "base64", "media_type": "application/pdf", "data": pdf}
        note = {"type": "text", "media_type": "text/plain", "data": "A note."}
        return [
            {"type": "image", "source": png},
            {"type": "document", "source": paper, "title": "b.pdf"},
            {"type": "document", "source": note, "title": "c.md"},
        ]
    paper = {"filename": "b.pdf", "file_data": f"data:application/pdf;base64,{pdf}"}
    return [
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture}"}},
        {"type": "file", "file": paper},
        {"type": "text", "text": "c.md:\nA note."},
    ]


async def test_the_model_is_sent_the_bytes_also_in_later_questions(
    provider: str, rest: Rest, ws: WebSocket, upstream: UpstreamProcess
) -> None:
    given = [("a.png", image("PNG")), ("b.pdf", PDF), ("c.md", b"A note.")]
    made = [await sent(rest, *each) for each in given]
    tag = uuid4().hex
    text = f"What is this? [[upstream tag={tag} tokens=2]]"
    ids = [each["id"] for each in made]
    answer = (await rest.post("/api/chat", {"message": text, "attachments": ids})).json()
    kept = await rest.request("GET", f"/api/files/{ids[0]}")
    assert kept.headers["content-type"] == "image/png"
    picture, pdf = (base64.b64encode(each).decode() for each in (kept.content, PDF))
    wanted = [*in_form(provider, picture, pdf), {"type": "text", "text": text}]
    assert wanted in asked(upstream, tag)
    name = answer["conversationId"]
    await ws.ask(f"And again? [[upstream tag={tag} tokens=2]]", conversationId=name)
    assert wanted in asked(upstream, tag)
    history = await rest.get(f"/api/conversations/{answer['conversationId']}/messages")
    assert history.json()["messages"][0]["attachments"] == made


async def test_a_photo_has_lost_its_place(rest: Rest) -> None:
    made = await sent(rest, "a.jpg", photo())
    content = (await rest.request("GET", f"/api/files/{made['id']}")).content
    assert b"SECRET" not in content and content.startswith(b"\xff\xd8\xff")


async def test_a_model_without_vision_refuses_and_the_conversation_goes_on(
    manager: Rest, rest: Rest
) -> None:
    await use(manager, provider="openai", model="gpt-4o")
    made = await sent(rest, "a.png", image("PNG"))
    body = {"message": "What? [[upstream tokens=2]]", "attachments": [made["id"]]}
    first = (await rest.post("/api/chat", body)).json()
    await use(manager, provider="openai", model="llama3.3")
    name = {"conversationId": first["conversationId"]}
    refused = await rest.request("POST", "/api/chat", json={**body, **name})
    assert (refused.status_code, refused.json()["error"]["details"]["field"]) == (
        400,
        "attachments",
    )
    assert "a.png" in refused.json()["error"]["message"]
    tag = uuid4().hex
    again = {"message": f"And now? [[upstream tag={tag} tokens=2]]", **name}
    assert (await rest.request("POST", "/api/chat", json=again)).status_code == 200


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (bomb(10_000, 10_000), "million pixels"),
        (b"<svg></svg>", "SVG"),
        (b"\0\0\0\x18ftypheic", "HEIC"),
        (files.zip_bomb(), "not taken"),
    ],
)
async def test_hostile_files_are_refused_in_words(rest: Rest, content: bytes, said: str) -> None:
    answer = await rest.request("POST", "/api/files", files={"file": ("a.png", content)})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_message")
    assert said in answer.json()["error"]["message"]


async def test_a_file_is_bounded(rest: Rest) -> None:
    large = b"x" * (10 * 1024 * 1024 + 1)
    answer = await rest.request("POST", "/api/files", files={"file": ("a.txt", large)})
    assert answer.status_code == 413


async def test_p24_a_strangers_file_is_none(server: Server, rest: Rest) -> None:
    made = await sent(rest, "a.png", image("PNG"))
    async with Rest(server.url, master_key(server, "globex")) as stranger:
        assert (await stranger.get(f"/api/files/{made['id']}")).status_code == 404


async def test_p39_files_are_erased_with_their_conversation(
    manager: Rest, rest: Rest, upstream: UpstreamProcess
) -> None:
    await use(manager, provider="openai", model="gpt-4o")
    made = await sent(rest, "a.png", image("PNG"))
    body = {"message": "What? [[upstream tokens=2]]", "attachments": [made["id"]]}
    conversation = (await rest.post("/api/chat", body)).json()["conversationId"]
    assert (await rest.request("DELETE", f"/api/conversations/{conversation}")).status_code == 204
    assert (await rest.request("GET", f"/api/files/{made['id']}")).status_code == 404
