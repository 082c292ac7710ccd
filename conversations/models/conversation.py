"""Conversations, and the pages on which they are shared."""

from django.db import models
from django.db.models import Q

from engine.ids import new_id

NOBODY = "erased"
"""The owner of a conversation that is being erased; no caller has this name."""


def conversation_id() -> str:
    """A fresh id of a conversation."""
    return new_id("conv")


class Conversation(models.Model):
    """Messages between one owner and one agent.

    `owner` is `keys` (the agent's API-key callers), `visitor:<id>` or `user:<id>`; `alias` is the
    id that this owner chose, unique for (agent, owner) and never global: another owner's same
    alias is another conversation. `parent` is the conversation in which another agent asked."""

    id = models.CharField(primary_key=True, max_length=40, default=conversation_id)
    organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.CASCADE, db_index=False
    )
    agent = models.ForeignKey("agents.Agent", on_delete=models.CASCADE, db_index=False)
    owner = models.CharField(max_length=160)
    alias = models.CharField(max_length=128, null=True, blank=True)
    title = models.CharField(max_length=200, blank=True)
    parent = models.ForeignKey("self", models.CASCADE, null=True, blank=True, db_index=False)
    created_at = models.DateTimeField(auto_now_add=True)
    last_message_at = models.DateTimeField(auto_now_add=True)
    rating = models.PositiveSmallIntegerField(null=True, blank=True, help_text="1 to 5.")
    comment = models.TextField(
        blank=True, default="", db_default="", help_text="Why it was rated so."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["agent", "owner", "alias"], name="conversation_alias")
        ]
        indexes = [
            models.Index(fields=["agent", "owner", "-last_message_at"]),
            models.Index(fields=["organization", "owner", "-last_message_at"]),
            models.Index(fields=["parent"], condition=~Q(parent=None), name="conversation_beneath"),
            models.Index(fields=["organization", "-last_message_at"], name="conversation_listed"),
        ]

    def __str__(self) -> str:
        return self.title or self.public_id

    @property
    def public_id(self) -> str:
        """The id that clients see: their own if they chose one."""
        return self.alias or self.id


class Share(models.Model):
    """A page on which anybody may read a conversation up to the message `until`; only the digest of
    its address is kept."""

    conversation = models.OneToOneField(Conversation, models.CASCADE, primary_key=True)
    digest = models.CharField(max_length=64, unique=True)
    until = models.BigIntegerField(help_text="The key of the last message on it.")
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"of {self.conversation_id} until {self.expires_at}"
