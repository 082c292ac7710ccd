"""The decisions for which runs wait."""

from django.db import models

from conversations.models.run import Run
from engine.ids import new_id


def decision_id() -> str:
    """A fresh id of a decision."""
    return new_id("dec")


class DecisionStatus(models.TextChoices):
    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class Decision(models.Model):
    """A decision for which a tool call of a run waits, or has waited. `call_id` is unique in the
    run.

    An approval has the rule of its tool; an answer of the user, or the result of a client's tool,
    counts as approved and is in `given`, as are the arguments that an approver has changed."""

    class Kind(models.TextChoices):
        APPROVAL = "approval"
        QUESTION = "question"
        CLIENT_TOOL = "client_tool"

    id = models.CharField(primary_key=True, max_length=40, default=decision_id)
    organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.CASCADE, db_index=False
    )
    run = models.ForeignKey(Run, on_delete=models.CASCADE, db_index=False)
    kind = models.CharField(max_length=11, choices=Kind.choices)
    call_id = models.CharField(max_length=128)
    tool = models.CharField(max_length=64)
    args = models.JSONField()
    digest = models.CharField(max_length=80)
    schema = models.JSONField(null=True, help_text="What changed arguments must fit.")
    pinned = models.CharField(
        max_length=64, blank=True, default="", db_default="", help_text="The tool, as it was shown."
    )
    approvers = models.CharField(max_length=7, default="members")
    status = models.CharField(
        max_length=9, choices=DecisionStatus.choices, default=DecisionStatus.PENDING
    )
    given = models.JSONField(null=True)
    is_error = models.BooleanField(default=False)
    decided_by = models.JSONField(null=True)
    reason = models.TextField(blank=True)
    begun = models.BooleanField(default=False, help_text="Its call was carried out, or may be.")
    requested_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "call_id"], name="decision_of_a_call")
        ]
        indexes = [
            models.Index(
                fields=["organization", "status", "-requested_at"], name="decision_listed"
            ),
            models.Index(fields=["call_id"], name="decision_called"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.call_id} ({self.status})"
