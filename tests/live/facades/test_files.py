"""Images and files within requests of foreign protocols; those of OpenAI by its library."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

from tests.files.samples import image
from tests.knowledge.extraction import files
from tests.live.clients import Rest
from tests.live.facades.openai_client import opened
from tests.live.raw import new_tag
from tests.live.server import Server
from tests.upstream.process import UpstreamProcess

MODEL = "acme-agent"
PNG = f"data:image/png;base64,{base64.b64encode(image('PNG')).decode()}"
PDF = f"data:application/pdf;base64,{base64.b64encode(files.pdf('Hi')).decode()}"


@pytest.fixture
async def client(server: Server) -> AsyncIterator[AsyncOpenAI]:
    async with opened(server.url, server.keys.acme) as client:
        yield client


def text(tag: str) -> str:
    return f"What is this? [[upstream tag={tag} tokens=2]]"


def kinds_seen(upstream: UpstreamProcess, tag: str) -> list[list[str]]:
    """The types of the parts of each message that the model was sent last."""
    messages = upstream.requests(tag)[-1]["body"]["messages"]
    parts = [message["content"] for message in messages]
    return [[part["type"] for part in each] if isinstance(each, list) else [] for each in parts]


async def test_it_works(client: AsyncOpenAI, rest: Rest, upstream: UpstreamProcess) -> None:
    """Each message of the history keeps its files."""
    tag = new_tag()
    picture: Any = {"type": "image_url", "image_url": {"url": PNG}}
    paper: Any = {"type": "file", "file": {"filename": "a.pdf", "file_data": PDF}}
    answer = await client.chat.completions.create(
        model=MODEL,
        messages=[
            {"role": "user", "content": [{"type": "text", "text": "One"}, picture]},
            {"role": "assistant", "content": "Red."},
            {"role": "user", "content": [paper, {"type": "text", "text": text(tag)}]},
        ],
    )
    assert answer.choices[0].message.content == "w0 w1 "
    seen = kinds_seen(upstream, tag)
    assert seen == [["image", "text"], [], ["document", "text"]]
    run = (await rest.get(f"/api/runs/{answer.id.replace('chatcmpl-', 'run_')}")).json()
    history = await rest.messages(run["conversationId"])
    names = [[file["name"] for file in each.get("attachments", [])] for each in history]
    assert names == [["image.png"], [], ["a.pdf"], []]


async def test_a_response_reads_files_and_knows_them_later(
    client: AsyncOpenAI, rest: Rest, upstream: UpstreamProcess
) -> None:
    tag = new_tag()
    made = await rest.request("POST", "/api/files", files={"file": ("c.md", b"A note.")})
    parts: Any = [
        {"type": "input_image", "image_url": PNG},
        {"type": "input_file", "file_id": made.json()["id"]},
        {"type": "input_text", "text": text(tag)},
    ]
    asked: Any = [{"role": "user", "content": parts}]
    first = await client.responses.create(model=MODEL, input=asked)
    assert kinds_seen(upstream, tag) == [["image", "document", "text"]]
    more = await client.responses.create(
        model=MODEL, input=text(tag), previous_response_id=first.id
    )
    assert more.output_text and kinds_seen(upstream, tag)[0] == ["image", "document", "text"]


async def test_the_same_request_again_is_asked_once(
    server: Server, upstream: UpstreamProcess
) -> None:
    tag = new_tag()
    picture: Any = {"type": "image_url", "image_url": {"url": PNG}}
    content = [picture, {"type": "text", "text": text(tag)}]
    async with opened(server.url, server.keys.acme, **{"Idempotency-Key": tag}) as client:
        asked: Any = {"model": MODEL, "messages": [{"role": "user", "content": content}]}
        first = await client.chat.completions.create(**asked)
        again = await client.chat.completions.create(**asked)
    assert first.id == again.id and len(upstream.requests(tag)) == 1


async def test_a_chat_of_the_ai_sdk_brings_files(rest: Rest, upstream: UpstreamProcess) -> None:
    tag = new_tag()
    picture = {"type": "file", "mediaType": "image/png", "filename": "red.png", "url": PNG}
    parts = [picture, {"type": "text", "text": text(tag)}]
    chat = {"id": tag, "model": MODEL, "messages": [{"role": "user", "parts": parts}]}
    assert (await rest.post("/api/ai-sdk/chat", chat)).status_code == 200
    assert kinds_seen(upstream, tag) == [["image", "text"]]
    (asked, _) = await rest.messages(tag)
    assert [file["name"] for file in asked["attachments"]] == ["red.png"]


@pytest.mark.parametrize(
    "url", ["https://example.com/a.png", "data:image/png;base64,AAAA", "data:image/svg+xml,<svg>"]
)
async def test_what_is_refused_has_a_place(client: AsyncOpenAI, url: str) -> None:
    content: Any = [{"type": "image_url", "image_url": {"url": url}}]
    with pytest.raises(openai.BadRequestError) as raised:
        await client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": content}]
        )
    assert raised.value.param == "messages[0].content[0]"
