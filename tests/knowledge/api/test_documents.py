"""`knowledge.api.documents`: who may do what to which document."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import RequestFactory

from core.database import database_step
from engine.errors import ClawError
from knowledge.api import documents
from tests.agents.api import request
from tests.agents.callers import having

PASTED = {"title": "Money", "text": "Refunds take five days."}


def shown(answer):
    return json.loads(answer.content)


def code(raised):
    return raised.value.code


def upload(name, content, **fields):
    file = SimpleUploadedFile(name, content, "application/octet-stream")
    return RequestFactory().post("/", {"file": file, **fields})


def test_it_works(caller):
    answer = documents.create(request(PASTED), caller)
    made = shown(answer)
    assert answer.status_code == 202
    assert (made["title"], made["status"], made["chunks"], made["bytes"]) == (
        "Money",
        "queued",
        0,
        23,
    )
    assert made["id"].startswith("doc_")
    assert shown(documents.show(request(), caller, made["id"])) == made
    assert shown(documents.index(request(), caller))["documents"] == [made]
    assert documents.delete(request(), caller, made["id"]).status_code == 204
    assert shown(documents.index(request(), caller))["documents"] == []


def test_a_file_is_a_document(caller):
    made = shown(documents.create(upload("notes.md", b"# Hi"), caller))
    assert (made["title"], made["bytes"]) == ("notes.md", 4)
    assert shown(documents.create(upload("a.txt", b"x", title="Mine"), caller))["title"] == "Mine"


def test_a_url_is_a_document(caller):
    answer = documents.create(request({"url": "https://example.com/prices"}), caller)
    made = shown(answer)
    assert (answer.status_code, made["url"], made["status"]) == (
        202,
        "https://example.com/prices",
        "queued",
    )
    again = documents.fetch_again(request(), caller, made["id"])
    assert (again.status_code, shown(again)) == (202, made)


def test_only_a_url_is_fetched_again(caller):
    made = shown(documents.create(request(PASTED), caller))
    with pytest.raises(ClawError) as raised:
        documents.fetch_again(request(), caller, made["id"])
    assert code(raised) == "invalid_message"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (upload("program.exe", b"MZ"), "file"),
        (upload("fake.pdf", b"no pdf"), "file"),
        (RequestFactory().post("/", {"title": "no file"}), "file"),
        (request({"title": "x", "text": " "}), "text"),
        (request({"title": "x", "text": "a\0"}), "text"),
        (request({"title": "", "text": "a"}), "title"),
        (request({"title": "x"}), "text"),
        (request({"title": "x", "text": "a", "url": "https://example.com"}), "text"),
        (request({"url": "http://127.0.0.1/"}), "url"),
        (request({"url": "file:///etc/passwd"}), "url"),
    ],
)
def test_what_is_no_document_is_refused(caller, given, field):
    with pytest.raises(ClawError) as raised:
        documents.create(given, caller)
    assert (code(raised), raised.value.details["field"]) == ("invalid_message", field)


def test_a_document_has_bounds(caller, settings):
    settings.CLAW_MAX_DOCUMENT_BYTES = 10
    with pytest.raises(ClawError) as raised:
        documents.create(upload("a.txt", b"x" * 11), caller)
    assert code(raised) == "message_too_large"


def test_p24_a_strangers_document_is_none(caller, stranger):
    made = shown(documents.create(request(PASTED), caller))
    for view in (documents.show, documents.delete, documents.fetch_again):
        with pytest.raises(ClawError) as raised:
            view(request(), stranger, made["id"])
        assert code(raised) == "not_found"
    assert shown(documents.index(request(), stranger))["documents"] == []


@pytest.mark.parametrize(
    ("view", "scope"),
    [
        (documents.index, "agents:read"),
        (documents.show, "agents:read"),
        (documents.create, "agents:write"),
        (documents.delete, "agents:write"),
        (documents.fetch_again, "agents:write"),
    ],
)
def test_each_needs_its_scope(caller, view, scope):
    poor = having(caller, scopes=frozenset({"agents:read", "agents:write"} - {scope}))
    of_one = (documents.show, documents.delete, documents.fetch_again)
    names = ("doc_x",) if view in of_one else ()
    with pytest.raises(ClawError) as raised:
        view(request({"query": "x"}), poor, *names)
    assert code(raised) == "forbidden"


async def test_a_search_needs_its_scope(caller):
    poor = having(caller, scopes=frozenset({"agents:write"}))
    with pytest.raises(ClawError) as raised:
        await documents.find(request({"query": "x"}), poor)
    assert code(raised) == "forbidden"


async def test_a_search_says_what_the_agent_would_find(caller, add):
    row = await database_step(add, caller, "Money", "# Refunds\n\nRefunds take five days.")
    (found,) = shown(await documents.find(request({"query": "refund?"}), caller))["results"]
    assert found.pop("score") > 0 and found.pop("chunkId")
    assert found == {
        "documentId": row.pk,
        "title": "Money",
        "start": 9,
        "end": 32,
        "excerpt": "Refunds take five days.",
    }
