"""Conversations, their messages, and the runs that produce the answers."""

import secrets
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from engine.ids import new_id


def conversation_id() -> str:
    return new_id("conv")


def message_id() -> str:
    return new_id("msg")


def run_id() -> str:
    return new_id("run")


def decision_id() -> str:
    return new_id("dec")


NOBODY = "erased"
"""The owner of a conversation that is being erased; no caller has this name."""


def feed_epoch() -> str:
    """A name for one unbroken history: see `conversations.feed.stores.local`."""
    return secrets.token_hex(4)


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
    attachments = models.JSONField(default=list, db_default=[], blank=True)
    tools = models.JSONField(default=list, blank=True)
    sources = models.JSONField(default=list, db_default=[], blank=True)
    steps = models.JSONField(default=list, blank=True)
    context = models.JSONField(null=True, blank=True, help_text="The page it was written on.")
    usage = models.JSONField(null=True, blank=True)
    stop_reason = models.TextField(null=True, blank=True)
    error = models.JSONField(null=True, blank=True)
    # A message that was edited is kept, with all that followed it, in no history and no prompt.
    replaced = models.BooleanField(default=False)
    replaces = models.CharField(
        max_length=40, null=True, blank=True, help_text="The message in whose place this one came."
    )
    # The answer that it has joined.
    joined = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, db_index=False)
    version = models.PositiveIntegerField(
        default=1, db_default=1, help_text="From 2 on it came in place of another."
    )
    rating = models.CharField(
        max_length=4, blank=True, choices=[("up", "up"), ("down", "down")], help_text="Feedback."
    )
    comment = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["conversation", "id"]),
            models.Index(fields=["joined"], condition=~Q(joined=None), name="message_joined"),
        ]

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


class Spending(models.Model):
    """The spending on an account in a period: see `usage.spending`."""

    account = models.CharField(max_length=210, db_column="lineage")
    period = models.CharField(max_length=10, db_column="month", help_text="2026-11-30, or total.")
    amount = models.DecimalField(max_digits=20, decimal_places=8)
    tokens = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "period"], name="spending_of_a_period")
        ]


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
