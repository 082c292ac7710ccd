"""`knowledge.embeddings.client`: what an endpoint is sent, and what may come back."""

import json

import pytest

from knowledge.embeddings import client
from knowledge.embeddings.client import IN_ONE_REQUEST, Endpoint, NotEmbedded, embed
from knowledge.embeddings.vectors import cosine


def place(endpoint, key="sk-embed"):
    return Endpoint(endpoint.url, "small", key)


async def test_it_works(endpoint):
    one, two, same = await embed(place(endpoint), ["refunds", "zeppelin", "refunds"], seconds=5)
    assert one == same and cosine(one.values, two.values) < 0.5
    ((head, body),) = endpoint.requests
    assert head.startswith("POST /v1/embeddings HTTP/1.1\r\n")
    assert "authorization: Bearer sk-embed\r\n" in head
    assert body == {
        "model": "small",
        "input": ["refunds", "zeppelin", "refunds"],
        "encoding_format": "float",
    }


async def test_a_server_without_a_key_is_sent_none(endpoint):
    await embed(place(endpoint, ""), ["a text"], seconds=5)
    assert "authorization" not in endpoint.requests[0][0]


async def test_many_texts_are_several_requests(endpoint):
    texts = [f"text {number}" for number in range(2 * IN_ONE_REQUEST + 1)]
    assert len(await embed(place(endpoint), texts, seconds=5)) == len(texts)
    sizes = [len(body["input"]) for _, body in endpoint.requests]
    assert sizes == [IN_ONE_REQUEST, IN_ONE_REQUEST, 1]
    assert endpoint.texts == texts


async def test_an_overload_is_tried_again(endpoint):
    endpoint.answers = [(429, b"{}"), (503, b"")]
    assert len(await embed(place(endpoint), ["a text"], seconds=5)) == 1
    assert len(endpoint.requests) == 3


@pytest.mark.parametrize(
    ("answers", "said", "asked"),
    [
        ([(503, b"secret")] * 3, "status 503", 3),
        ([(401, b"secret")], "status 401", 1),
        ([(200, b"secret")], "another form", 1),
        ([(200, b'{"data": []}')], "another form", 1),
        ([(200, b'{"data": [{"index": 0, "embedding": [0, 0]}]}')], "another form", 1),
        ([(200, b'{"data": [{"index": 7, "embedding": [1]}]}')], "another form", 1),
    ],
)
async def test_a_failure_says_what_it_is_and_not_what_the_server_said(
    endpoint, answers, said, asked
):
    endpoint.answers = answers
    with pytest.raises(NotEmbedded, match=said) as raised:
        await embed(place(endpoint), ["a text"], seconds=5)
    assert "secret" not in str(raised.value)
    assert len(endpoint.requests) == asked


async def test_an_answer_is_bounded(endpoint, monkeypatch):
    monkeypatch.setattr(client, "MAX_ANSWER", 1000)
    endpoint.answers = [(200, json.dumps({"data": "x" * 2000}).encode())]
    with pytest.raises(NotEmbedded, match="too large"):
        await embed(place(endpoint), ["a text"], seconds=5)


async def test_a_server_that_is_away_or_silent_is_given_up(endpoint):
    with pytest.raises(NotEmbedded, match="cannot be reached"):
        await embed(Endpoint("http://127.0.0.1:1/v1", "small", ""), ["a text"], seconds=5)
    with pytest.raises(NotEmbedded, match="in time"):
        await embed(place(endpoint), ["a text"], seconds=0.0)
    with pytest.raises(NotEmbedded, match="unusable"):
        await embed(Endpoint("nowhere", "small", ""), ["a text"], seconds=5)
