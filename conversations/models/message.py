"""The messages of conversations."""

from django.db import models
from django.db.models import Q

from conversations.models.conversation import Conversation
from engine.ids import new_id


def message_id() -> str:
    """A fresh id of a message."""
    return new_id("msg")


class MessageStatus(models.TextChoices):
    QUEUED = "queued"
    STREAMING = "streaming"
    WAITING = "waiting"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


class Message(models.Model):
    """One message. The integer key is the order within a conversation, `public_id` the name."""

    public_id = models.CharField(max_length=40, unique=True, default=message_id)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, db_index=False)
    role = models.CharField(max_length=9, choices=[("user", "user"), ("assistant", "assistant")])
    content = models.TextField(blank=True)
    status = models.CharField(
        max_length=11, choices=MessageStatus.choices, default=MessageStatus.COMPLETED
    )
    client_message_id = models.CharField(max_length=255, null=True, blank=True)
    thinking = models.TextField(blank=True)
    attachments = models.JSONField(default=list, db_default=[], blank=True)
    tools = models.JSONField(default=list, blank=True)
    sources = models.JSONField(default=list, db_default=[], blank=True)
    steps = models.JSONField(default=list, blank=True)
    context = models.JSONField(null=True, blank=True, help_text="The page it was written on.")
    usage = models.JSONField(null=True, blank=True)
    stop_reason = models.TextField(null=True, blank=True)
    error = models.JSONField(null=True, blank=True)
    # A message that was edited is kept, with all that followed it, in no history and no prompt.
    replaced = models.BooleanField(default=False)
    replaces = models.CharField(
        max_length=40, null=True, blank=True, help_text="The message in whose place this one came."
    )
    # The answer that it has joined.
    joined = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, db_index=False)
    version = models.PositiveIntegerField(
        default=1, db_default=1, help_text="From 2 on it came in place of another."
    )
    rating = models.CharField(
        max_length=4, blank=True, choices=[("up", "up"), ("down", "down")], help_text="Feedback."
    )
    comment = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["conversation", "id"]),
            models.Index(fields=["joined"], condition=~Q(joined=None), name="message_joined"),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.public_id}"
