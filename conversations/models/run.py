"""The runs that produce answers."""

from typing import Any

from django.db import models
from django.db.models import Q

from conversations.models.conversation import Conversation
from conversations.models.message import Message
from engine.ids import new_id


def run_id() -> str:
    """A fresh id of a run."""
    return new_id("run")


class RunStatus(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


FINAL = (RunStatus.COMPLETED, RunStatus.CANCELLED, RunStatus.FAILED, RunStatus.INTERRUPTED)
ACTIVE = (RunStatus.RUNNING, RunStatus.WAITING)
UNFINISHED = ~Q(status__in=FINAL) & Q(finished_at=None)
"""Selects unfinished runs. The status decides; the time leads to the index of the few that have not
ended, which SQLite cannot find by a list of statuses."""
ENDED = Q(finished_at__isnull=False)
TRANSITIONS = {
    RunStatus.QUEUED: {RunStatus.RUNNING, RunStatus.CANCELLED, RunStatus.FAILED},
    RunStatus.RUNNING: {RunStatus.RUNNING, RunStatus.WAITING, *FINAL},
    RunStatus.WAITING: {RunStatus.RUNNING, *FINAL},
    **{status: set() for status in FINAL},
}
"""The statuses that may follow each status; from running to running a later attempt takes over."""


def may_become(status: str) -> set[str]:
    """The statuses from which a run may go to `status`: who writes one asks here first."""
    return {before for before, after in TRANSITIONS.items() if status in after}


class Run(models.Model):
    """One answer being produced. `attempt` is the fencing token: each claim counts it up, and a
    writer with an older number is dropped. `config` is the agent as it was at acceptance (see
    `agents.config.AgentConfig`). `parent` is the run of another agent that asks, and waits."""

    id = models.CharField(primary_key=True, max_length=40, default=run_id)
    organization = models.ForeignKey("accounts.Organization", on_delete=models.CASCADE)
    agent = models.ForeignKey("agents.Agent", on_delete=models.CASCADE)
    api_key = models.ForeignKey("agents.ApiKey", null=True, on_delete=models.SET_NULL)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, db_index=False)
    user_message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="asked")
    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="run")
    parent = models.ForeignKey("self", models.CASCADE, null=True, blank=True, db_index=False)
    owner = models.CharField(max_length=160)
    client_message_id = models.CharField(max_length=255, null=True, blank=True)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of what was asked.")
    status = models.CharField(max_length=11, choices=RunStatus.choices, default=RunStatus.QUEUED)
    attempt = models.PositiveIntegerField(default=0)
    provider = models.CharField(max_length=20)
    model = models.CharField(max_length=200)
    config = models.JSONField(default=dict)
    on_disconnect = models.CharField(max_length=8, default="continue")
    usage = models.JSONField(null=True, blank=True)
    cost = models.DecimalField(max_digits=14, decimal_places=8, null=True, blank=True)
    error = models.JSONField(null=True, blank=True)
    reserved = models.JSONField(null=True, blank=True, help_text="See `usage.budgets`.")
    stop = models.JSONField(
        null=True, blank=True, help_text="Asked to stop: the error to end with, or {}."
    )
    steers = models.BooleanField(default=False, db_default=False)  # joins the active run if it can
    foreign = models.JSONField(
        null=True,
        blank=True,
        help_text="What a client of another protocol asked besides its text, to be shown again.",
    )
    waits_until = models.DateTimeField(
        null=True, blank=True, help_text="When a waiting run is woken at the latest."
    )
    # True of a waiting run: it may be claimed. True of a running one: it will not wait long.
    woken = models.BooleanField(default=False, db_default=False)
    last_seq = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    first_token_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["conversation"],
                condition=Q(status__in=ACTIVE),
                name="run_one_active_per_conversation",
            ),
            models.UniqueConstraint(
                fields=["agent", "owner", "client_message_id"], name="run_client_message_id"
            ),
        ]
        indexes = [
            models.Index(
                fields=["user_message"], condition=Q(finished_at=None), name="run_unfinished"
            ),
            # With the time: without statistics SQLite takes the index with the most usable fields.
            models.Index(
                fields=["conversation", "finished_at"],
                condition=Q(finished_at=None),
                name="run_unfinished_in",
            ),
            models.Index(
                fields=["organization", "finished_at", "user_message"],
                condition=Q(finished_at=None),
                name="run_unfinished_of",
            ),
            models.Index(
                fields=["waits_until"], condition=Q(status=RunStatus.WAITING), name="run_waiting"
            ),
            models.Index(fields=["parent"], condition=~Q(parent=None), name="run_beneath"),
            models.Index(fields=["conversation", "user_message"]),
            models.Index(fields=["api_key", "created_at"]),
            models.Index(fields=["organization", "created_at"]),
            models.Index(fields=["organization", "finished_at"], condition=ENDED, name="run_ended"),
        ]

    def __str__(self) -> str:
        return f"{self.id} ({self.status})"

    @property
    def hands_over(self) -> bool:
        """Whether a call of the client's tools ends the answer: in the client's protocol the next
        message brings the result."""
        return bool((self.foreign or {}).get("hands_over"))

    @property
    def shown_status(self) -> Any:
        """The status as callers see it: a run that waits only for another agent's run, without a
        time at which it wakes, is still at work."""
        rests = self.status == RunStatus.WAITING and self.waits_until is None
        return RunStatus.RUNNING if rests else self.status
