"""Webhooks, what they are sent, and how far each organisation's feed was read for them."""

from django.db import models
from django.utils import timezone

from accounts.encryption import EncryptedTextField
from engine.ids import new_id


def webhook_id() -> str:
    """A fresh id of a webhook."""
    return new_id("hook")


def delivery_id() -> str:
    """A fresh id of a delivery."""
    return new_id("dlv")


class Webhook(models.Model):
    """An address that is sent the events of some types, as they happen."""

    id = models.CharField(primary_key=True, max_length=40, default=webhook_id, editable=False)
    organization = models.ForeignKey("accounts.Organization", models.CASCADE)
    url = models.CharField(max_length=2000)
    events = models.JSONField(help_text="Types of events.")
    # serialize=False: `dumpdata` must not write them out in clear text.
    secret = EncryptedTextField(serialize=False)
    previous_secret = EncryptedTextField(serialize=False, null=True)
    previous_until = models.DateTimeField(
        null=True, blank=True, help_text="It signs too, until then."
    )
    enabled = models.BooleanField(default=True)
    disabled_reason = models.CharField(max_length=300, blank=True)
    failing_since = models.DateTimeField(
        null=True, blank=True, help_text="Every attempt has failed from then on."
    )
    # Nobody takes it before then: a process delivers to it, or it rests after a failure.
    free_at = models.DateTimeField(default=timezone.now, db_index=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.url


class Delivery(models.Model):
    """One event for one webhook. Its id is the `webhook-id` of every attempt."""

    class Status(models.TextChoices):
        PENDING = "pending"
        DELIVERED = "delivered"
        FAILED = "failed"

    id = models.CharField(primary_key=True, max_length=40, default=delivery_id, editable=False)
    webhook = models.ForeignKey(Webhook, models.CASCADE, db_index=False)
    type = models.CharField(max_length=40)
    body = models.TextField(help_text="The JSON that is sent.")
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    attempted_at = models.DateTimeField(null=True)
    response_status = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=20, blank=True)
    duration_ms = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField(default=timezone.now, db_index=True, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["webhook", "created_at"], name="deliveries_of_webhook"),
            models.Index(
                fields=["webhook", "due_at"],
                condition=models.Q(status="pending"),
                name="deliveries_that_are_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} to {self.webhook_id}"


class Position(models.Model):
    """How far an organisation's feed was read for its webhooks."""

    organization = models.OneToOneField(
        "accounts.Organization", models.CASCADE, primary_key=True, related_name="+"
    )
    cursor = models.CharField(max_length=100)

    def __str__(self) -> str:
        return f"{self.cursor} of {self.organization_id}"
