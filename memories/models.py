"""The memories that agents have of their visitors."""

from django.db import models

from engine.ids import new_id


def memory_id() -> str:
    """A fresh id of a memory."""
    return new_id("mem")


class Memory(models.Model):
    """One thing that an agent remembers of one owner of conversations. A key has one content."""

    id = models.CharField(primary_key=True, max_length=40, default=memory_id, editable=False)
    agent = models.ForeignKey("agents.Agent", on_delete=models.CASCADE, db_index=False)
    owner = models.CharField(max_length=160)
    key = models.CharField(max_length=100)
    content = models.TextField()
    created_at = models.DateTimeField(help_text="When this content was saved.")

    class Meta:
        verbose_name_plural = "memories"
        constraints = [
            models.UniqueConstraint(fields=["agent", "owner", "key"], name="memory_of_a_key")
        ]
        indexes = [models.Index(fields=["agent", "owner", "-created_at"])]

    def __str__(self) -> str:
        return f"{self.key} ({self.id})"
