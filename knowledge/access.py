"""The only way to the rows of documents: every function says whose they are."""

from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from accounts.access import secrets_of
from agents import access as agents
from agents.caller import Caller
from agents.models import Agent
from engine.errors import ClawError, invalid
from knowledge.embeddings.vectors import Vector
from knowledge.extraction.chunk import Passage
from knowledge.models import Chunk, Document, DocumentSource, Embedding, EmbeddingServer
from knowledge.search import postgresql

MAX_DOCUMENTS = 1000
"""Of one agent."""
MAX_ATTEMPTS = 3
"""A document that has taken its process down so often is not tried again."""
LEASE = timedelta(seconds=180)
"""Longer than fetching and extracting a document may take."""
PUT_OFF = timedelta(minutes=5)
"""Between two attempts to give a document vectors."""
MAX_ERASED = 5
"""Documents in one step of the deletion of their agent."""


def documents(caller: Caller) -> QuerySet[Document]:
    """Those of the caller's agent. Raises `agent_not_found`."""
    return Document.objects.filter(agent=agents.agent_of(caller))


def document(caller: Caller, document_id: str) -> Document:
    """One document of the caller's agent. Raises `agent_not_found`, `not_found`."""
    rows = documents(caller)
    found = rows.filter(id=document_id).first()
    if found is None:
        raise ClawError("not_found", "There is no such document.")
    return found


def readable_documents(caller: Caller) -> QuerySet[Document]:
    """Those of all agents that the caller opens, or of the one named."""
    return Document.objects.filter(agent__in=agents.agents_listed(caller))


def readable_document(caller: Caller, document_id: str) -> Document:
    """One of `readable_documents`. Raises `not_found`."""
    known = "\0" not in document_id
    found = known and readable_documents(caller).filter(id=document_id).first()
    if not found:
        raise ClawError("not_found", "There is no such document.")
    return found


def text_of(row: Document, at_most: int) -> str:
    """The extracted text of a document, up to so many characters. What lies between two chunks is
    a blank line."""
    text, end = "", 0
    for chunk in Chunk.objects.filter(document=row).order_by("start").iterator():
        more = chunk.text[max(end - chunk.start, 0) :]
        text += more if chunk.start <= end else f"\n\n{more}"
        end = max(end, chunk.end)
        if len(text) >= at_most:
            break
    return text.strip()[:at_most]


def add_document(
    caller: Caller, *, title: str, kind: str = "", content: bytes = b"", url: str = ""
) -> Document:
    """See `store_document`. Raises `agent_not_found` too."""
    return store_document(agents.agent_of(caller), title=title, kind=kind, content=content, url=url)


@transaction.atomic
def store_document(
    agent: Agent, *, title: str, kind: str = "", content: bytes = b"", url: str = ""
) -> Document:
    """Store a document that is not indexed yet. Raises `invalid_message` for an agent that has too
    many."""
    if Document.objects.filter(agent=agent).count() >= MAX_DOCUMENTS:
        raise ClawError("invalid_message", f"An agent has at most {MAX_DOCUMENTS} documents.")
    row = Document.objects.create(
        organization_id=agent.organization_id,
        agent=agent,
        title=title[:300],
        url=url,
        kind=kind,
        size=len(content),
    )
    if not url:
        DocumentSource.objects.create(document=row, content=content)
    return row


@transaction.atomic
def fetch_again(found: Document) -> Document:
    """Let the page of a document be fetched again; it is not found until it is indexed. One that
    waits already stays as it is. Raises `invalid_message` for a document of no page."""
    if not found.url:
        raise ClawError("invalid_message", "Only a document of a URL can be fetched again.")
    ended = Document.objects.filter(pk=found.pk).exclude(status=Document.Status.QUEUED)
    again = {"attempts": 0, "claimed_until": None, "embedded_by": ""}
    ended.update(status=Document.Status.QUEUED, error="", **again)
    found.refresh_from_db()
    return found


def delete_document(found: Document) -> None:
    """Delete a document with all that a search could find, in one transaction."""
    found.delete()


def erase_documents(agent_id: str) -> bool:
    """Delete some documents of a hidden agent; returns whether there were any."""
    some = list(Document.objects.filter(agent=agent_id).values_list("pk", flat=True)[:MAX_ERASED])
    Document.objects.filter(pk__in=some).delete()
    return bool(some)


def chunks(agent_id: str, ids: Collection[int]) -> dict[int, Chunk]:
    """Chunks of the agent by their ids, with their documents."""
    return Chunk.objects.filter(agent=agent_id).select_related("document").in_bulk(ids)


def counts(agent_id: str) -> tuple[int, int]:
    """The numbers of the agent's documents that a search finds, and that are not indexed yet."""
    rows = Document.objects.filter(agent=agent_id)
    ready, queued = Document.Status.READY, Document.Status.QUEUED
    return rows.filter(status=ready).count(), rows.filter(status=queued).count()


def claim_document() -> Document | None:
    """Take the oldest document that waits to be indexed and that nobody has; None if there is
    none. The process that takes it has it for `LEASE`."""
    now = timezone.now()
    waiting = Document.objects.filter(status=Document.Status.QUEUED).filter(
        Q(claimed_until=None) | Q(claimed_until__lt=now)
    )
    for row in waiting.order_by("created_at", "id")[:10]:
        free = waiting.filter(pk=row.pk, attempts=row.attempts)
        if free.update(claimed_until=now + LEASE, attempts=F("attempts") + 1):
            row.claimed_until, row.attempts = now + LEASE, row.attempts + 1
            return row
    return None


def release_document(row: Document) -> None:
    """Give a claimed document back: its process stops, and another one takes it at once."""
    queued = row.status == Document.Status.QUEUED
    _claimed(row).update(claimed_until=None, attempts=row.attempts - queued)


def source(row: Document) -> bytes:
    """The bytes of a document that is not indexed yet; none if it was deleted meanwhile."""
    found = DocumentSource.objects.filter(document=row).values_list("content", flat=True).first()
    return bytes(found or b"")


@transaction.atomic
def begin_document(row: Document) -> None:
    """Remove what an attempt that died has stored of the document."""
    if _mine(row):
        Chunk.objects.filter(document=row).delete()
        Document.objects.filter(pk=row.pk).update(chunk_count=0)


@transaction.atomic
def add_chunks(row: Document, passages: Sequence[Passage]) -> None:
    """Store some chunks of a document, which nobody finds before it is ready."""
    if not _mine(row):
        return
    stored = Chunk.objects.bulk_create(
        Chunk(
            document=row,
            agent_id=row.agent_id,
            heading=" / ".join([row.title, *passage.headings]),
            text=passage.text,
            start=passage.start,
            end=passage.end,
            page=passage.page,
        )
        for passage in passages
    )
    if connection.vendor == "postgresql":
        postgresql.index(stored)


@transaction.atomic
def finish_document(row: Document) -> None:
    """Let a document with all of its chunks be found, by the title and the size that it has now."""
    if _mine(row):
        count = Chunk.objects.filter(document=row).count()
        fields = {"title": row.title, "size": row.size, "chunk_count": count, "kind": row.kind}
        _end(row, status=Document.Status.READY, **fields)


@transaction.atomic
def fail_document(row: Document, error: str) -> None:
    """Keep a document as one that cannot be indexed, and why. The text of an earlier fetch of its
    page is found as before."""
    if _mine(row):
        earlier = row.url and row.chunk_count
        status = Document.Status.READY if earlier else Document.Status.FAILED
        _end(row, status=status, error=error[:300])


def claim_without_vectors(model: str | None) -> Document | None:
    """Take a document that a search finds, but whose vectors are missing, or of another model than
    its organisation's server makes; None if there is none. `model` is that of the operator's
    server, if there is one: it serves organisations without one whose calls the operator pays."""
    now = timezone.now()
    own = Q(organization__embedding_server__isnull=False)
    wanting = own & ~Q(embedded_by=F("organization__embedding_server__model"))
    if model is not None:
        others = ~own & ~Q(embedded_by=model)
        if settings.CLAW_PLATFORM_CREDENTIALS != "all":
            others &= Q(organization__platform_credentials=True)
        wanting |= others
    free = Document.objects.filter(wanting, status=Document.Status.READY)
    free = free.filter(Q(claimed_until=None) | Q(claimed_until__lt=now))
    row = free.order_by("created_at", "id").first()
    if row is None or not free.filter(pk=row.pk).update(claimed_until=now + LEASE):
        return None
    row.claimed_until = now + LEASE
    return row


def embedding_server(organization_id: str) -> EmbeddingServer | None:
    """The organisation's own server of vectors, with its key; None if it has none."""
    rows = EmbeddingServer.objects.filter(organization=organization_id).select_related("secret")
    return rows.first()


def set_embedding_server(organization_id: str, *, secret: str | None, **fields: str) -> None:
    """Let this server make the organisation's vectors. Raises ValidationError, and
    `invalid_message` where there is no such secret."""
    key = secrets_of(organization_id).filter(name=secret).first() if secret is not None else None
    if secret is not None and key is None:
        raise invalid("secret", "There is no such secret.")
    row = EmbeddingServer(organization_id=organization_id, secret=key, **fields)
    row.full_clean(exclude=["organization"], validate_unique=False)
    row.save(force_insert=not embedding_server(organization_id))


def remove_embedding_server(organization_id: str) -> None:
    """Let the organisation have the operator's vectors again, or none. Raises `not_found`."""
    row = embedding_server(organization_id)
    if row is None:
        raise ClawError("not_found", "There is no server of vectors.")
    row.delete()


def chunks_after(row: Document, last: int, count: int) -> list[Chunk]:
    """The next chunks of a document, by their ids."""
    return list(Chunk.objects.filter(document=row, pk__gt=last).order_by("pk")[:count])


@transaction.atomic
def add_vectors(
    row: Document, chunks: Sequence[Chunk], vectors: Sequence[Vector], model: str
) -> None:
    """Store the vectors of some chunks in place of earlier ones, and keep the document claimed."""
    if _claimed(row).select_for_update().first() is None:
        return
    row.claimed_until = timezone.now() + LEASE
    Document.objects.filter(pk=row.pk).update(claimed_until=row.claimed_until)
    Embedding.objects.filter(chunk__in=chunks).delete()
    Embedding.objects.bulk_create(
        Embedding(
            chunk=chunk, agent_id=row.agent_id, model=model, values=each.values, signs=each.signs
        )
        for chunk, each in zip(chunks, vectors, strict=True)
    )


def vector_signs(agent_id: str, model: str) -> Iterator[tuple[int, bytes]]:
    """The signs of all vectors of this model that the agent's chunks have, by the chunks' ids."""
    rows = Embedding.objects.filter(agent=agent_id, model=model).values_list("chunk_id", "signs")
    return rows.iterator(chunk_size=1000)


def vector_values(ids: Collection[int]) -> Iterator[tuple[int, bytes]]:
    """The values of the vectors of those of these chunks that a search finds."""
    ready = Document.Status.READY
    rows = Embedding.objects.filter(chunk__in=ids, chunk__document__status=ready)
    for chunk_id, values in rows.values_list("chunk_id", "values"):
        yield chunk_id, bytes(values)


def finish_vectors(row: Document, model: str) -> None:
    """Let the document be one with vectors of this model."""
    _claimed(row).update(claimed_until=None, embedded_by=model, error="")


def put_off_vectors(row: Document, error: str) -> None:
    """Keep a document that could get no vectors as it is, and say why; it is tried again later."""
    _claimed(row).update(claimed_until=timezone.now() + PUT_OFF, error=error[:300])


def _mine(row: Document) -> bool:
    """Whether this attempt still has the document, and it was not deleted. Holds its row until the
    transaction ends: a deletion comes before that or after it."""
    rows = _claimed(row).select_for_update()
    return rows.filter(status=Document.Status.QUEUED).first() is not None


def _claimed(row: Document) -> QuerySet[Document]:
    """The document, if the claim that gave `row` is the last one."""
    return Document.objects.filter(
        pk=row.pk, attempts=row.attempts, claimed_until=row.claimed_until
    )


def _end(row: Document, **fields: object) -> None:
    DocumentSource.objects.filter(document=row).delete()
    Document.objects.filter(pk=row.pk).update(claimed_until=None, **fields)
