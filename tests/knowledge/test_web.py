"""`knowledge.web`: documents by URL, fetched from local servers and never from our own network."""

import asyncio
import socket
from ipaddress import ip_network

import pytest

from core.database import database_step
from engine.http import page
from engine.http.guard import Guard
from knowledge import access
from knowledge.extraction.block import NotReadable
from knowledge.indexing import index_document
from knowledge.models import Document
from knowledge.search.search import search
from knowledge.web import fetch_document
from tests.engine.http.servers import Canary, serving
from tests.engine.http.test_page import answering, moved, ok
from tests.knowledge.extraction import files

HTML = b"<title>Prices</title><h1>Prices</h1><p>A zeppelin costs %d euros.</p>"


@pytest.fixture
def private(settings):
    """Lets this server fetch from the one machine that tests have."""
    settings.CLAW_ALLOW_PRIVATE_NETWORKS = [ip_network("127.0.0.0/8")]


async def silent(reader, writer):
    await reader.read()  # until the client leaves


async def added(caller, url, title=""):
    return await database_step(access.add_document, caller, title=title, url=url)


async def indexed(row):
    claimed = await database_step(access.claim_document)
    assert claimed.pk == row.pk
    await index_document(claimed)
    return await database_step(Document.objects.get, pk=row.pk)


async def found(caller):
    results = await database_step(search, caller.agent.id, "zeppelin", limit=5, tokens=100)
    return [(source.url, source.excerpt) for source, _ in results]


async def test_it_works(caller, private):
    async with serving(answering(ok(HTML % 5, "text/html"))) as server:
        url = f"http://127.0.0.1:{server.port}/prices"
        row = await indexed(await added(caller, url))
    assert (row.status, row.title, row.kind, row.error) == ("ready", "Prices", "html", "")
    assert row.size == len(HTML % 5)
    assert await found(caller) == [(url, "A zeppelin costs 5 euros.")]


@pytest.mark.parametrize(
    ("path", "answer", "kind"),
    [
        ("/a.md", ok(b"# Hi", "text/plain"), "markdown"),
        ("/a.md", ok(b"<p>Hi", "text/html"), "html"),
        ("/a?x=b.pdf", ok(b"Hi", "text/plain"), "text"),
        ("/download", ok(files.pdf("Hi"), "application/octet-stream"), "pdf"),
        ("/a.docx", ok(files.docx(), "application/octet-stream"), "docx"),
        ("/a.csv", ok(b"a,b", "application/octet-stream"), "csv"),
    ],
)
async def test_the_kind_is_what_the_server_and_the_bytes_say(private, path, answer, kind):
    async with serving(answering(answer)) as server:
        got, _ = await fetch_document(f"http://127.0.0.1:{server.port}{path}")
    assert got == kind


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (ok(b"\x89PNG", "image/png"), "no text"),
        (ok(b"PK\x03\x04", "application/zip"), "no text"),
        (b"HTTP/1.1 404 Not Found\r\ncontent-length: 6\r\n\r\nsecret", "status 404"),
        (moved("/"), "redirects"),
    ],
)
async def test_what_is_no_document_fails_and_says_why(caller, private, answer, said):
    async with serving(answering(answer)) as server:
        row = await indexed(await added(caller, f"http://127.0.0.1:{server.port}/"))
    assert row.status == "failed" and said in row.error and "secret" not in row.error


async def test_a_page_has_bounds_of_size_and_time(private, monkeypatch):
    monkeypatch.setattr(page, "MAX_BYTES", 1000)
    async with serving(answering(ok(b"x" * 2000))) as server:
        with pytest.raises(NotReadable, match="more than"):
            await fetch_document(f"http://127.0.0.1:{server.port}/")
    monkeypatch.setattr(page, "MAX_SECONDS", 0.1)
    async with serving(silent) as server:
        with pytest.raises(NotReadable, match="within"):
            await fetch_document(f"http://127.0.0.1:{server.port}/")


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00::1"])
async def test_p28_a_name_that_resolves_into_our_network_is_refused(caller, monkeypatch, address):
    look_up = socket.getaddrinfo

    def find(host, port, **options):
        return look_up(address, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)

    canary = Canary()
    server = await asyncio.start_server(canary.accept, "127.0.0.1", 0)
    monkeypatch.setattr(socket, "getaddrinfo", find)
    for url in (f"http://evil.test:{server.sockets[0].getsockname()[1]}/", "https://evil.test/"):
        row = await indexed(await added(caller, url))
        assert (row.status, row.error[:27]) == ("failed", "This address is not allowed")
    server.close()
    await server.wait_closed()
    assert canary.connections == 0


async def test_p28_a_redirect_into_our_network_is_refused(settings):
    settings.CLAW_ALLOW_PRIVATE_NETWORKS = [ip_network("127.0.0.1/32")]
    async with serving(answering(moved("http://127.0.0.2/"), ok(b"secret"))) as server:
        with pytest.raises(NotReadable, match="not allowed"):
            await fetch_document(f"http://127.0.0.1:{server.port}/")
    assert server.connections == 1


async def test_a_page_is_fetched_again_on_demand(caller, private):
    answers = (ok(HTML % 5, "text/html"), ok(HTML % 6, "text/html"), moved("/"))
    async with serving(answering(*answers)) as server:
        url = f"http://127.0.0.1:{server.port}/"
        row = await indexed(await added(caller, url))
        again = await database_step(access.fetch_again, row)
        assert again.status == "queued"
        assert await found(caller) == []
        row = await indexed(row)
        assert await found(caller) == [(url, "A zeppelin costs 6 euros.")]
        await database_step(access.fetch_again, row)
        row = await indexed(row)
    assert row.status == "ready" and "redirects" in row.error
    assert await found(caller) == [(url, "A zeppelin costs 6 euros.")]


def test_the_guard_is_strict_unless_the_operator_says_otherwise(settings):
    from knowledge.web import guard

    assert settings.CLAW_ALLOW_PRIVATE_NETWORKS == []
    assert guard().allowed_private == Guard().allowed_private
