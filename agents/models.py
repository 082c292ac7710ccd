"""Agents, and the API keys that open them."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from accounts.encryption import EncryptedTextField
from accounts.models import Organization, Secret
from agents.validators import (
    DEFAULT_SCOPES,
    validate_base_url,
    validate_dns_label,
    validate_not_reserved,
    validate_origin_patterns,
    validate_origins,
    validate_parameters,
    validate_prompts,
    validate_scopes,
)
from engine.ids import new_id


def agent_id() -> str:
    """A fresh id of an agent."""
    return new_id("agt")


def key_id() -> str:
    """A fresh id of an API key; no part of the key itself."""
    return new_id("key")


def default_scopes() -> list[str]:
    """What a key may do if nobody says otherwise."""
    return list(DEFAULT_SCOPES)


class Agent(models.Model):
    """A model with instructions, at an address of its own."""

    class Provider(models.TextChoices):
        AUTO = "auto", "Anthropic if credentials allow, else demo"
        ANTHROPIC = "anthropic"
        OPENAI = "openai", "OpenAI, or a server that speaks its API"
        DEMO = "demo"

    class IfBusy(models.TextChoices):
        QUEUE = "queue", "The message waits"
        REJECT = "reject", "The message is refused"
        INTERRUPT = "interrupt", "The answer is stopped"

    class OnCrash(models.TextChoices):
        FAIL = "fail", "The answer ends, with what it has"
        CONTINUE = "continue", "The model is asked to go on"

    class OnDisconnect(models.TextChoices):
        CONTINUE = "continue"
        CANCEL = "cancel"

    id = models.CharField(primary_key=True, max_length=40, default=agent_id, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="agents")
    slug = models.CharField(
        max_length=63, unique=True, validators=[validate_dns_label, validate_not_reserved]
    )
    name = models.CharField(max_length=150)
    instructions = models.TextField(blank=True)
    provider = models.CharField(max_length=20, choices=Provider.choices, default=Provider.AUTO)
    model = models.CharField(max_length=100, blank=True, help_text="Empty: the provider's default.")
    base_url = models.CharField(
        max_length=500,
        blank=True,
        validators=[validate_base_url],
        help_text="Another model server. The operator's key is never sent there: name a credential,"
        " or none for a server of OpenAI's API that wants none.",
    )
    # RESTRICT: without it the agent would silently fall back on another account, or on none.
    credential = models.ForeignKey(
        Secret, models.RESTRICT, null=True, blank=True, related_name="agents"
    )
    parameters = models.JSONField(default=dict, blank=True, validators=[validate_parameters])
    max_tokens = models.PositiveIntegerField(
        default=4096, validators=[MinValueValidator(1)], help_text="Longest answer, in tokens."
    )
    context_tokens = models.PositiveIntegerField(
        default=50_000,
        validators=[MinValueValidator(1)],
        help_text="How much of the conversation the model is sent, in tokens.",
    )
    thinking = models.BooleanField(default=False, help_text="Ask the model to think first.")
    show_thinking = models.BooleanField(default=False, help_text="Visitors see the thinking.")
    show_tools = models.BooleanField(default=False, help_text="Visitors see the tool calls.")
    if_busy = models.CharField(max_length=10, choices=IfBusy.choices, default=IfBusy.QUEUE)
    on_crash = models.CharField(
        max_length=8,
        choices=OnCrash.choices,
        default=OnCrash.FAIL,
        help_text="What becomes of an answer whose process dies.",
    )
    on_disconnect = models.CharField(
        max_length=10, choices=OnDisconnect.choices, default=OnDisconnect.CONTINUE
    )
    allowed_origins = models.JSONField(
        default=list,
        blank=True,
        validators=[validate_origin_patterns],
        help_text="Web pages whose visitors may ask it: https://example.com,"
        " https://*.example.com.",
    )
    public_page = models.BooleanField(
        default=False, help_text="Anybody may talk to it, on a page of its own host."
    )
    greeting = models.TextField(
        blank=True, validators=[MaxLengthValidator(2000)], help_text="What visitors see first."
    )
    prompts = models.JSONField(
        default=list,
        blank=True,
        validators=[validate_prompts],
        help_text="Questions that visitors may choose to begin with.",
    )
    visitor_messages_per_minute = models.PositiveIntegerField(
        default=10, validators=[MinValueValidator(1)], help_text="Of one visitor."
    )
    visitor_messages_per_day = models.PositiveIntegerField(
        default=200, validators=[MinValueValidator(1)], help_text="Of one visitor."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    def clean(self) -> None:
        """A credential is the organisation's own; no parameters, however written, are {}; only
        Anthropic's models are the same everywhere."""
        super().clean()
        # Django does not validate an empty value.
        self.parameters = self.parameters or {}
        self.allowed_origins, self.prompts = self.allowed_origins or [], self.prompts or []
        if self.credential and self.credential.organization_id != self.organization_id:
            raise ValidationError({"credential": "This organisation has no such secret."})
        if self.provider == self.Provider.OPENAI and not self.model:
            raise ValidationError({"model": "Name a model that this server has."})

    def __str__(self) -> str:
        return self.slug


class IdentitySecret(models.Model):
    """What an organisation signs with to say who a user of its own is (`agents.identity`).

    Apart from the agent: without its encryption key only identities fail."""

    agent = models.OneToOneField(
        Agent, models.CASCADE, primary_key=True, related_name="identity_secret"
    )
    # serialize=False: `dumpdata` must not write it out in clear text.
    value = EncryptedTextField(serialize=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return f"of {self.agent}"


class StreamTicket(models.Model):
    """What opens one event stream (see `agents.tickets`); of the ticket only the digest is kept.

    `owner` and `api_key` are its maker's; `subject` is what it is for."""

    digest = models.CharField(primary_key=True, max_length=64, editable=False)
    agent = models.ForeignKey(Agent, models.CASCADE, related_name="+")
    api_key = models.ForeignKey("ApiKey", models.CASCADE, null=True, related_name="+")
    owner = models.CharField(max_length=160)
    origin = models.CharField(max_length=300, blank=True)
    subject = models.JSONField()
    run_id = models.CharField(max_length=40, blank=True)
    opened = models.BooleanField(default=False)
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return f"of {self.agent} until {self.expires_at}"


class ApiKey(models.Model):
    """A key, of which only the digest is kept; `prefix` and `last_four` help to recognise it."""

    id = models.CharField(primary_key=True, max_length=40, default=key_id, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    # Explicit, not "no agents named": a key whose last agent is deleted must not open all others.
    every_agent = models.BooleanField(
        default=False, help_text="Opens every agent of the organisation, also future ones."
    )
    agents = models.ManyToManyField(Agent, blank=True, related_name="api_keys")
    scopes = models.JSONField(default=default_scopes, validators=[validate_scopes])
    allowed_origins = models.JSONField(
        default=list,
        blank=True,
        validators=[validate_origins],
        help_text="Web origins that may use it; empty: any, but browsers get no CORS headers.",
    )
    prefix = models.CharField(max_length=20, db_index=True, editable=False)
    last_four = models.CharField(max_length=4, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    requests_per_minute = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)]
    )
    monthly_budget = models.DecimalField(
        max_digits=12,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="US dollars.",
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, editable=False)
    rotated_from = models.ForeignKey(
        "self", models.SET_NULL, null=True, editable=False, related_name="successors"
    )
    # The id of its first key: those that a rotation or a key with a budget has made share that
    # budget, or making keys would be a way around it.
    lineage = models.CharField(max_length=40, db_index=True, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…{self.last_four})"
