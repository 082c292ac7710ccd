"""The standing approvals of tools."""

from django.db import models
from django.db.models import Q

from engine.ids import new_id


def standing_approval_id() -> str:
    """A fresh id of a standing approval."""
    return new_id("sta")


class StandingApproval(models.Model):
    """A person's approval of all later calls of a tool of an agent, in one conversation or, without
    one, in all. It holds for the tool as it was shown: `pinned` is its digest
    (`engine.tools.digest.pin`). A conversation is that of the person who asks, also where the agent
    works for another one there."""

    id = models.CharField(
        primary_key=True, max_length=40, default=standing_approval_id, editable=False
    )
    organization = models.ForeignKey("accounts.Organization", models.CASCADE, db_index=False)
    agent = models.ForeignKey("agents.Agent", models.CASCADE, db_index=False)
    conversation = models.ForeignKey(
        "conversations.Conversation", models.CASCADE, null=True, blank=True, db_index=False
    )
    tool = models.CharField(max_length=64)
    pinned = models.CharField(max_length=64)
    by_kind = models.CharField(max_length=10, help_text="The kind of principal that gave it.")
    by_id = models.CharField(max_length=160)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["agent", "tool"],
                condition=Q(conversation=None),
                name="standing_approval_of_an_agent",
            ),
            models.UniqueConstraint(
                fields=["conversation", "agent", "tool"],
                condition=~Q(conversation=None),
                name="standing_approval_in_a_conversation",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-created_at"], name="standing_approval_listed"),
            models.Index(fields=["agent"], name="standing_approval_of"),
        ]

    def __str__(self) -> str:
        return self.tool
