"""Conversations, their messages, and the runs that produce the answers."""

from django.db import models
from django.db.models import Q

from engine.ids import new_id


def conversation_id() -> str:
    return new_id("conv")


def message_id() -> str:
    return new_id("msg")


def run_id() -> str:
    return new_id("run")


class Conversation(models.Model):
    """Messages between one owner and one agent.

    `owner` is `keys` (the agent's API-key callers), `visitor:<id>` or `user:<id>`; `alias` is the
    id that this owner chose, unique for (agent, owner) and never global: another owner's same
    alias is another conversation."""

    id = models.CharField(primary_key=True, max_length=40, default=conversation_id)
    organization = models.ForeignKey("accounts.Organization", on_delete=models.CASCADE)
    agent = models.ForeignKey("agents.Agent", on_delete=models.CASCADE)
    owner = models.CharField(max_length=160)
    alias = models.CharField(max_length=128, null=True, blank=True)
    title = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_message_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["agent", "owner", "alias"], name="conversation_alias")
        ]
        indexes = [models.Index(fields=["agent", "owner", "-last_message_at"])]

    def __str__(self) -> str:
        return self.title or self.public_id

    @property
    def public_id(self) -> str:
        """The id that clients see: their own if they chose one."""
        return self.alias or self.id


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
    tools = models.JSONField(default=list, blank=True)
    steps = models.JSONField(default=list, blank=True)
    usage = models.JSONField(null=True, blank=True)
    stop_reason = models.TextField(null=True, blank=True)
    error = models.JSONField(null=True, blank=True)
    # A message that was edited and sent again is kept, with all that followed it; it is in no
    # history and in no prompt any more.
    replaced = models.BooleanField(default=False)
    replaces = models.CharField(
        max_length=40, null=True, blank=True, help_text="The message in whose place this one came."
    )
    rating = models.CharField(
        max_length=4, blank=True, choices=[("up", "up"), ("down", "down")], help_text="Feedback."
    )
    comment = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["conversation", "id"])]

    def __str__(self) -> str:
        return f"{self.role} {self.public_id}"


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
TRANSITIONS = {
    RunStatus.QUEUED: {RunStatus.RUNNING, RunStatus.CANCELLED, RunStatus.FAILED},
    RunStatus.RUNNING: {RunStatus.RUNNING, RunStatus.WAITING, *FINAL},
    RunStatus.WAITING: {RunStatus.RUNNING, *FINAL},
    **{status: set() for status in FINAL},
}
"""What may follow what; running to running is a later attempt taking over."""


def may_become(status: str) -> set[str]:
    """The statuses from which a run may go to `status`: who writes one asks here first."""
    return {before for before, after in TRANSITIONS.items() if status in after}


class Run(models.Model):
    """One answer being produced. `attempt` is the fencing token: whoever claims the run counts it
    up, and a writer with an older number is dropped. `config` is the agent as it stood at
    acceptance (see `agents.authorize.AgentConfig`)."""

    id = models.CharField(primary_key=True, max_length=40, default=run_id)
    organization = models.ForeignKey("accounts.Organization", on_delete=models.CASCADE)
    agent = models.ForeignKey("agents.Agent", on_delete=models.CASCADE)
    api_key = models.ForeignKey("agents.ApiKey", null=True, on_delete=models.SET_NULL)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE)
    user_message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="asked")
    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="run")
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
    stop = models.JSONField(
        null=True, blank=True, help_text="Asked to stop: the error to end with, or {}."
    )
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
            models.Index(fields=["status"], condition=~Q(status__in=FINAL), name="run_unfinished"),
            models.Index(fields=["api_key", "created_at"]),
            models.Index(fields=["organization", "created_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.id} ({self.status})"
