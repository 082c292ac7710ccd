"""The events of organisations' feeds."""

import secrets

from django.db import models
from django.db.models import Q
from django.utils import timezone


def feed_epoch() -> str:
    """A name for one unbroken history: see `conversations.feed.stores.local`."""
    return secrets.token_hex(4)


class FeedHead(models.Model):
    """Counts the events in an organisation's feed: `floor` is the last position that is forgotten,
    `bytes` the size of those that are kept. A new `epoch` makes all cursors of before invalid.
    There is one while the feed is read; `read_at` is the last time, about."""

    organization = models.OneToOneField(
        "accounts.Organization", on_delete=models.CASCADE, primary_key=True
    )
    epoch = models.CharField(max_length=20, default=feed_epoch)
    last = models.PositiveBigIntegerField(default=0)
    floor = models.PositiveBigIntegerField(default=0)
    bytes = models.PositiveBigIntegerField(default=0)
    read_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.last} events of {self.organization_id}"


class FeedEvent(models.Model):
    """One event in an organisation's feed, which holds nothing of what is said in it."""

    organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.CASCADE, db_index=False
    )
    position = models.PositiveBigIntegerField()
    type = models.CharField(max_length=40)
    agent_id = models.CharField(max_length=40)
    subject = models.CharField(max_length=40)
    phase = models.PositiveSmallIntegerField()
    size = models.PositiveIntegerField()
    data = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "position"], name="feed_position")
        ]
        indexes = [
            models.Index(
                fields=["subject", "phase"], condition=Q(phase__in=(0, 2)), name="feed_life"
            )
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.position}"
