"""The files that were sent for messages."""

from django.db import models
from django.utils import timezone

from accounts.models import Organization
from agents.models import Agent
from engine.ids import new_id


def file_id() -> str:
    """A fresh id of a file."""
    return new_id("file")


def place_of(row: "File", name: str) -> str:
    """Where the storage keeps the content: never by the name that a stranger gave it."""
    return f"{row.organization_id}/{row.pk}"


class File(models.Model):
    """A file of one owner of conversations. With its first message it becomes part of that
    message's conversation, and is erased with it."""

    id = models.CharField(primary_key=True, max_length=40, default=file_id, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    agent = models.ForeignKey(Agent, models.CASCADE, related_name="+")
    owner = models.CharField(max_length=160)
    conversation_id = models.CharField(max_length=40, blank=True, db_index=True)
    name = models.CharField(max_length=255)
    media_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField(help_text="Bytes.")
    tokens = models.PositiveIntegerField(help_text="What a model reads it as, estimated.")
    content = models.FileField(upload_to=place_of, max_length=200)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes = [
            models.Index(
                fields=["created_at"],
                condition=models.Q(conversation_id=""),
                name="files_of_no_message",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.id})"
