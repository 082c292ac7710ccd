"""Agents, and the API keys that open them."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.utils import timezone

from accounts.encryption import EncryptedTextField
from accounts.models import Organization, Secret
from agents.validators import (
    DEFAULT_SCOPES,
    validate_base_url,
    validate_client_tools,
    validate_dns_label,
    validate_mcp_url,
    validate_not_reserved,
    validate_origin_patterns,
    validate_origins,
    validate_parameters,
    validate_program,
    validate_prompts,
    validate_scopes,
    validate_tool_names,
    validate_tools,
    validate_widget,
)
from agents.versions.models import AgentDraft as AgentDraft
from agents.versions.models import AgentVersion as AgentVersion
from agents.versions.models import check_version, keep
from engine.ids import new_id
from engine.providers.registry import PROVIDERS


def agent_id() -> str:
    """A fresh id of an agent."""
    return new_id("agt")


def key_id() -> str:
    """A fresh id of an API key; no part of the key itself."""
    return new_id("key")


def mcp_server_id() -> str:
    """A fresh id of an MCP server."""
    return new_id("mcp")


def default_scopes() -> list[str]:
    """The scopes of a key for which none are named."""
    return list(DEFAULT_SCOPES)


AUTO = "auto"
"""The provider of agents that name none."""


class Standing(models.Manager):
    """Agents that are not being deleted."""

    def get_queryset(self) -> models.QuerySet["Agent"]:
        """Without those that `agents.access.hide_agent` has hidden."""
        return super().get_queryset().filter(erasing=False)


def provider_choices() -> list[tuple[str, str]]:
    """The choices of an agent's provider. Django calls it, so that a line in the registry needs no
    migration."""
    registered = ((name, provider.label) for name, provider in PROVIDERS.items())
    return [(AUTO, "Anthropic if credentials allow, else OPENAI_MODEL, else demo"), *registered]


class Agent(models.Model):
    """A model with instructions, at an address of its own."""

    class IfBusy(models.TextChoices):
        QUEUE = "queue", "The message waits"
        REJECT = "reject", "The message is refused"
        INTERRUPT = "interrupt", "The answer is stopped"
        STEER = "steer", "The message joins the answer after its next tools, or waits"

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
    provider = models.CharField(max_length=20, choices=provider_choices, default=AUTO)
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
    tools = models.JSONField(
        default=list,
        db_default=[],
        blank=True,
        validators=[validate_tools],
        help_text='What it may use besides writing, such as [{"builtin": "current_time"}].',
    )
    client_tools = models.JSONField(
        default=list,
        db_default=[],
        blank=True,
        validators=[validate_client_tools],
        help_text="Names of the tools that a visitor's page may bring and carry out itself.",
    )
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
    show_usage = models.BooleanField(
        default=False, help_text="Visitors see the model, and the tokens and cost of each answer."
    )
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
    widget = models.JSONField(
        default=dict,
        db_default={},
        blank=True,
        validators=[validate_widget],
        help_text='How its chat looks on pages, such as {"accent": "#0a7", "position": "left"}.',
    )
    visitor_messages_per_minute = models.PositiveIntegerField(
        default=10, validators=[MinValueValidator(1)], help_text="Of one visitor."
    )
    visitor_messages_per_day = models.PositiveIntegerField(
        default=200, validators=[MinValueValidator(1)], help_text="Of one visitor."
    )
    visitor_version = models.PositiveIntegerField(
        null=True, blank=True, help_text="The version that visitors have. Empty: the published one."
    )
    version = models.PositiveIntegerField(
        default=0, db_default=0, editable=False, help_text="The one that is published."
    )
    archived_at = models.DateTimeField(
        null=True, editable=False, help_text="Since then it answers nobody, and lists leave it out."
    )
    erasing = models.BooleanField(
        default=False, editable=False, help_text="Being deleted, in steps: nobody finds it."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = Standing()
    every = models.Manager()

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the row, and its configuration as a version if that has changed."""
        with transaction.atomic():
            super().save(*args, **kwargs)
            keep(self)

    def clean(self) -> None:
        """A credential is the organisation's own; no parameters, however written, are {}; only
        Anthropic's models are the same everywhere."""
        super().clean()
        # Django does not validate an empty value.
        self.parameters = self.parameters or {}
        self.allowed_origins, self.prompts = self.allowed_origins or [], self.prompts or []
        self.tools, self.widget = self.tools or [], self.widget or {}
        self.client_tools = self.client_tools or []
        self._check_tools()
        if self.credential and self.credential.organization_id != self.organization_id:
            raise ValidationError({"credential": "This organisation has no such secret."})
        chosen = PROVIDERS.get(self.provider)
        if chosen and not chosen.default_model and not self.model:
            raise ValidationError({"model": "Name a model that this server has."})
        check_version(self, "visitor_version")

    def _check_tools(self) -> None:
        """The MCP servers and agents that its tools name are the organisation's own."""
        try:
            validate_tools(self.tools)
        except ValidationError:
            return  # that is said of the field already
        self._check_agents({tool["agent"] for tool in self.tools if "agent" in tool})
        ids = {tool["mcpServer"] for tool in self.tools if "mcpServer" in tool}
        rows = McpServer.objects.filter(organization=self.organization_id, id__in=ids)
        servers = dict(rows.values_list("id", "name"))
        if unknown := sorted(ids - servers.keys()):
            raise ValidationError({"tools": f"There is no MCP server “{unknown[0]}”."})
        try:
            validate_tool_names(self.tools, servers)
        except ValidationError as error:
            raise ValidationError({"tools": error.messages}) from None

    def _check_agents(self, slugs: set[str]) -> None:
        """Raise ValidationError unless all of them are other agents of the organisation."""
        if self.slug in slugs:
            raise ValidationError({"tools": "An agent cannot ask itself."})
        rows = Agent.objects.filter(organization=self.organization_id, slug__in=slugs)
        if unknown := sorted(slugs - set(rows.values_list("slug", flat=True))):
            raise ValidationError({"tools": f"There is no agent “{unknown[0]}”."})

    def __str__(self) -> str:
        return self.slug


class McpServer(models.Model):
    """A server whose tools the organisation's agents may have, over the Model Context Protocol."""

    id = models.CharField(primary_key=True, max_length=40, default=mcp_server_id, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="mcp_servers")
    name = models.CharField(max_length=64)
    url = models.CharField(max_length=500, blank=True, validators=[validate_mcp_url])
    stdio = models.CharField(
        max_length=64,
        blank=True,
        validators=[validate_program],
        help_text="An entry of the operator's list CLAW_MCP_STDIO.",
    )
    # A JSON object. serialize=False: `dumpdata` must not write it out in clear text.
    headers = EncryptedTextField(default="{}", serialize=False)
    timeout_ms = models.PositiveIntegerField(
        default=30_000, validators=[MinValueValidator(100), MaxValueValidator(300_000)]
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "MCP server"
        constraints = (
            models.UniqueConstraint(
                fields=("organization", "name"), name="one_mcp_server_per_name"
            ),
        )

    def clean(self) -> None:
        """A server has either an address or a program."""
        super().clean()
        if bool(self.url) == bool(self.stdio):
            raise ValidationError({"url": "Give either a url or the name of a program (stdio)."})

    def __str__(self) -> str:
        return self.name


class IdentitySecret(models.Model):
    """The secret with which an organisation signs the names of its own users
    (`agents.auth.identity`).

    Apart from the agent: without its encryption key only identities fail."""

    agent = models.OneToOneField(
        Agent, models.CASCADE, primary_key=True, related_name="identity_secret"
    )
    # serialize=False: `dumpdata` must not write it out in clear text.
    value = EncryptedTextField(serialize=False)
    # What its users may do: no more than the key that made it.
    scopes = models.JSONField(default=default_scopes, validators=[validate_scopes])
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return f"of {self.agent}"


class StreamTicket(models.Model):
    """A ticket that opens one event stream (`agents.auth.tickets`); only its digest is kept. One
    for the command center has no agent.

    `owner`, `api_key` and `via` (`agents.auth.visitors`) are its maker's. `subject` is what it is
    for. It opens nothing any more from `ends_at` on, when its maker's token ends."""

    digest = models.CharField(primary_key=True, max_length=64, editable=False)
    agent = models.ForeignKey(Agent, models.CASCADE, null=True, related_name="+")
    api_key = models.ForeignKey("ApiKey", models.CASCADE, null=True, related_name="+")
    owner = models.CharField(max_length=160)
    via = models.CharField(max_length=16, blank=True)
    origin = models.CharField(max_length=300, blank=True)
    subject = models.JSONField()
    run_id = models.CharField(max_length=40, blank=True)
    opened = models.BooleanField(default=False)
    expires_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return f"of {self.agent or self.api_key} until {self.expires_at}"


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
    pinned = models.ForeignKey(
        AgentVersion,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="pinned_keys",
        help_text="The version that it has of the agent.",
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
