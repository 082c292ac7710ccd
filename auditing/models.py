"""The audit log: rows that are written once."""

from typing import Any, NoReturn

from django.db import models
from django.utils import timezone

from engine.ids import new_id


def event_id() -> str:
    """A fresh id of an event."""
    return new_id("aud")


class AuditEvent(models.Model):
    """Something that somebody did. `before` and `after` have the fields that differ; a secret is in
    neither. The event goes with its organisation only."""

    id = models.CharField(primary_key=True, max_length=40, default=event_id, editable=False)
    organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.CASCADE, db_index=False
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    actor_kind = models.CharField(max_length=8, help_text="member, key, visitor or operator.")
    actor_id = models.CharField(max_length=160, blank=True)
    actor_name = models.CharField(max_length=254, blank=True)
    address = models.CharField(max_length=45, blank=True, help_text="Of the network.")
    action = models.CharField(max_length=60)
    subject_id = models.CharField(max_length=160, blank=True)
    subject_name = models.CharField(max_length=254, blank=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["organization", "-created_at", "-id"], name="audit_listed"),
            models.Index(fields=["organization", "action", "-created_at"], name="audit_of_action"),
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store a new event; what is stored stays as it is."""
        if not self._state.adding:
            raise TypeError("an event of the audit log does not change")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse: only the end of its organisation deletes an event."""
        raise TypeError("an event of the audit log is not deleted")

    def __str__(self) -> str:
        return f"{self.action} {self.subject_name}"
