"""The documents of an agent, and the chunks of text that a search finds."""

from django.db import models
from django.utils import timezone

from accounts.models import Organization, Secret
from agents.models import Agent
from agents.validators import validate_base_url
from engine.ids import new_id
from knowledge.embeddings.bits import BitsField


def document_id() -> str:
    """A fresh id of a document."""
    return new_id("doc")


class Document(models.Model):
    """A document of one agent. A search finds it once it is `ready`, and not before."""

    class Status(models.TextChoices):
        QUEUED = "queued"
        READY = "ready"
        FAILED = "failed"

    id = models.CharField(primary_key=True, max_length=40, default=document_id, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    agent = models.ForeignKey(Agent, models.CASCADE, related_name="documents")
    title = models.CharField(max_length=300)
    url = models.CharField(max_length=2000, blank=True, help_text="The page it was read from.")
    kind = models.CharField(max_length=10, blank=True, help_text="How its text is extracted.")
    status = models.CharField(max_length=6, choices=Status.choices, default=Status.QUEUED)
    error = models.CharField(max_length=300, blank=True)
    chunk_count = models.PositiveIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0, help_text="Bytes of the source.")
    # The indexing process has it until then; a process that dies in between leaves it to another.
    claimed_until = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    embedded_by = models.CharField(
        max_length=200, blank=True, editable=False, help_text="The model of its chunks' vectors."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["agent", "created_at"], name="documents_of_agent"),
            models.Index(
                fields=["created_at"],
                condition=models.Q(status="queued"),
                name="documents_to_index",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class DocumentSource(models.Model):
    """The bytes of a document until it is indexed. A document of a web page has none."""

    document = models.OneToOneField(
        Document, models.CASCADE, primary_key=True, related_name="source"
    )
    content = models.BinaryField()

    def __str__(self) -> str:
        return f"of {self.document_id}"


class Chunk(models.Model):
    """A passage of a document: `text` is `[start:end]` of the document's extracted text.

    The search indexes follow this table by themselves: triggers of SQLite, a column of PostgreSQL
    that leaves with its row. So no row can be deleted and still be found."""

    document = models.ForeignKey(Document, models.CASCADE, related_name="chunks")
    agent = models.ForeignKey(Agent, models.CASCADE, related_name="+")
    heading = models.TextField(help_text="The document's title and the headings above the text.")
    text = models.TextField()
    start = models.PositiveIntegerField(help_text="In characters.")
    end = models.PositiveIntegerField(help_text="In characters.")
    page = models.PositiveIntegerField(null=True, help_text="From 1.")

    def __str__(self) -> str:
        return f"{self.document_id} {self.start}-{self.end}"


class EmbeddingServer(models.Model):
    """The server, of OpenAI's API, that makes the vectors of an organisation's documents, in place
    of the operator's. `secret` is its key."""

    organization = models.OneToOneField(
        Organization, models.CASCADE, primary_key=True, related_name="embedding_server"
    )
    url = models.CharField(max_length=500, validators=[validate_base_url])
    model = models.CharField(max_length=200)
    # RESTRICT: without its key the server would give no more vectors.
    secret = models.ForeignKey(Secret, models.RESTRICT, null=True, blank=True, related_name="+")

    def __str__(self) -> str:
        return f"{self.model} at {self.url}"


class Embedding(models.Model):
    """The vector of a chunk, which leaves with it; see `knowledge.embeddings.vectors`."""

    chunk = models.OneToOneField(Chunk, models.CASCADE, primary_key=True, related_name="embedding")
    agent = models.ForeignKey(Agent, models.CASCADE, related_name="+")
    model = models.CharField(max_length=200)
    values = models.BinaryField(help_text="float32, of length 1.")
    signs = BitsField(help_text="A bit for each value that is positive.")

    def __str__(self) -> str:
        return f"of {self.chunk_id}"
