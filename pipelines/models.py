"""Pipelines, how far each has come, what waits for it, and what it could not deliver."""

from django.db import models
from django.utils import timezone

from accounts.encryption import EncryptedTextField
from engine.ids import new_id


def pipeline_id() -> str:
    """A fresh id of a pipeline."""
    return new_id("pipe")


def checkpoint_id() -> str:
    """A fresh id of a checkpoint."""
    return new_id("ckpt")


def failure_id() -> str:
    """A fresh id of a failure."""
    return new_id("fail")


class Pipeline(models.Model):
    """Where items come from, what is made of them, and where that goes to."""

    class Status(models.TextChoices):
        CREATED = "created"
        RUNNING = "running"
        PAUSED = "paused"
        STOPPED = "stopped"
        FAILED = "failed"

    class OnError(models.TextChoices):
        FAILURES = "failures"
        BLOCK = "block"
        DROP = "drop"

    id = models.CharField(primary_key=True, max_length=40, default=pipeline_id, editable=False)
    organization = models.ForeignKey("accounts.Organization", models.CASCADE)
    name = models.CharField(max_length=200)
    source = models.JSONField()
    transforms = models.JSONField()
    destinations = models.JSONField()
    on_error = models.CharField(max_length=8, choices=OnError.choices, default=OnError.FAILURES)
    start_from = models.CharField(max_length=100, default="now")
    version = models.PositiveIntegerField(default=1, help_text="Counts its edits.")
    status = models.CharField(max_length=7, choices=Status.choices, default=Status.CREATED)
    stopping = models.BooleanField(default=False, help_text="What it holds is being delivered.")
    # serialize=False: `dumpdata` must not write it out in clear text.
    secret = EncryptedTextField(serialize=False, help_text="Part of the address that takes items.")
    appended = models.BigIntegerField(default=0, help_text="Items that were put in so far.")
    # A process owns it until then; each owner has a greater attempt than the one before.
    free_at = models.DateTimeField(default=timezone.now, db_index=True, editable=False)
    attempt = models.PositiveIntegerField(default=0, editable=False)
    last_error = models.CharField(max_length=500, blank=True)
    last_error_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class Checkpoint(models.Model):
    """All that a pipeline needs to go on: the positions in its sources, what its stages hold, and
    what its destinations have not taken yet."""

    id = models.CharField(primary_key=True, max_length=40, default=checkpoint_id, editable=False)
    pipeline = models.ForeignKey(Pipeline, models.CASCADE)
    latest = models.BooleanField(help_text="The one that is written anew, not one that is kept.")
    version = models.PositiveIntegerField(help_text="That of the pipeline.")
    body = models.TextField(help_text="JSON.")
    metrics = models.JSONField()
    inbox = models.BigIntegerField(help_text="The last item of the inbox that was read.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["pipeline"], condition=models.Q(latest=True), name="one_latest_checkpoint"
            )
        ]

    def __str__(self) -> str:
        return f"{self.id} of {self.pipeline_id}"


class InboxItem(models.Model):
    """An item that was put into a pipeline. `number` counts those of the pipeline without a gap."""

    pipeline = models.ForeignKey(Pipeline, models.CASCADE, db_index=False)
    number = models.BigIntegerField()
    item_id = models.CharField(max_length=40)
    data = models.TextField(help_text="JSON.")
    arrived_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pipeline", "number"], name="numbers_of_inbox_items")
        ]

    def __str__(self) -> str:
        return self.item_id


class Failure(models.Model):
    """An item that could not be taken or delivered, or came too late, until it is tried again.

    `stage` is the number of the stage that could not take it, `destination` that of the
    destination; both are null for a late item."""

    id = models.CharField(primary_key=True, max_length=40, default=failure_id, editable=False)
    pipeline = models.ForeignKey(Pipeline, models.CASCADE, db_index=False)
    item = models.TextField(help_text="JSON.")
    stage = models.PositiveSmallIntegerField(null=True)
    destination = models.PositiveSmallIntegerField(null=True)
    late = models.BooleanField(default=False)
    reason = models.CharField(max_length=500)
    retried = models.BooleanField(default=False, help_text="It waits to be tried again.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes = [models.Index(fields=["pipeline", "created_at"], name="failures_of_pipeline")]

    def __str__(self) -> str:
        return f"{self.reason} ({self.pipeline_id})"


class Table(models.Model):
    """A table that pipelines of an organisation write to, apart from the product's own."""

    organization = models.ForeignKey("accounts.Organization", models.CASCADE, db_index=False)
    name = models.CharField(max_length=63)
    rows = models.PositiveIntegerField(default=0, help_text="Their number.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="names_of_tables")
        ]

    def __str__(self) -> str:
        return self.name


class Row(models.Model):
    """A row of such a table. `key` tells it from the others of the table."""

    id = models.BigAutoField(primary_key=True)
    table = models.ForeignKey(Table, models.CASCADE, db_index=False)
    key = models.CharField(max_length=64)
    data = models.TextField(help_text="JSON: it may have what jsonb refuses.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["table", "key"], name="keys_of_rows")]

    def __str__(self) -> str:
        return f"{self.key} of {self.table_id}"
