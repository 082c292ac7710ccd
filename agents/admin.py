"""The operator's admin of agents and API keys."""

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin import OwnedAdmin
from agents import access, invalidation
from agents.auth import identity, keys
from agents.models import Agent, ApiKey, McpServer
from agents.outbound.headers import headers_of, merged
from agents.public.addresses import page_url
from agents.validators import DEFAULT_SCOPES, SCOPES
from core.admin_deletion import DeletedLater
from core.lines import LinesField
from engine.errors import ClawError

POLICIES = ("if_busy", "on_disconnect", "on_crash")


class AgentForm(forms.ModelForm):
    """Its lists are texts with a line for each."""

    allowed_origins = LinesField(
        required=False,
        help_text="Web pages whose visitors may ask it, one a line: https://example.com",
    )
    prompts = LinesField(
        required=False, help_text="Questions that visitors may choose to begin with, one a line."
    )


@admin.register(Agent)
class AgentAdmin(DeletedLater, OwnedAdmin):
    form = AgentForm
    autocomplete_fields = ("organization", "credential")
    list_display = (
        "slug",
        "name",
        "organization",
        "model_server",
        "model",
        "public_page",
        "updated_at",
    )
    list_filter = ("provider", "public_page")
    search_fields = ("id", "slug", "name", "model", "organization__name")
    readonly_fields = ("id", "created_at", "updated_at")
    fieldsets = (
        (None, {"fields": ("id", "organization", "slug", "name", "instructions")}),
        (
            "Model",
            {
                "fields": (
                    *("provider", "model", "credential", "base_url", "parameters"),
                    *("tools", "client_tools", "max_tokens", "context_tokens", "thinking"),
                )
            },
        ),
        ("Conversation", {"fields": ("show_thinking", "show_tools", "show_usage", *POLICIES)}),
        (
            "Visitors",
            {
                "fields": (
                    *("allowed_origins", "public_page", "greeting", "prompts", "widget"),
                    *("visitor_messages_per_minute", "visitor_messages_per_day"),
                )
            },
        ),
        ("Dates", {"fields": ("created_at", "updated_at")}),
    )
    actions = ("make_identity_secret",)

    def hide(self, queryset: QuerySet[Agent]) -> None:
        """See `DeletedLater`."""
        for agent in queryset:
            access.hide_agent(agent)
            invalidation.publish(agent.organization_id)

    @admin.display(description="provider", ordering="provider")
    def model_server(self, agent: Agent) -> str:
        """In one word, as the API and the commands have it."""
        return agent.provider

    def view_on_site(self, obj: Agent) -> str | None:
        """The page where anybody may talk to it."""
        return page_url(obj.slug) if obj.public_page else None

    @admin.action(description="Make a new identity secret", permissions=["change"])
    def make_identity_secret(self, request: HttpRequest, queryset: QuerySet[Agent]) -> None:
        """One for each agent, shown this once: what signs the agent's own users in."""
        for agent in queryset:
            # The message travels in a cookie of this browser, and is gone once it was shown.
            secret = identity.new_secret(agent)
            text = f"{agent}: copy the identity secret now, it cannot be shown again: {secret}"
            self.message_user(request, text, messages.WARNING)


class ApiKeyForm(forms.ModelForm):
    """The rights and limits of a key; the application makes the key itself."""

    scopes = forms.MultipleChoiceField(
        choices=[(scope, scope) for scope in SCOPES],
        initial=list(DEFAULT_SCOPES),
        widget=forms.CheckboxSelectMultiple,
    )

    allowed_origins = LinesField(
        required=False,
        help_text="Web origins that may use it, one a line; empty: any, but browsers get no CORS "
        "headers.",
    )

    class Meta:
        model = ApiKey
        fields = (
            *("organization", "name", "every_agent", "agents", "scopes", "allowed_origins"),
            *("requests_per_minute", "monthly_budget", "expires_at"),
        )

    def clean(self) -> dict[str, Any]:
        """A key opens agents of its own organisation only."""
        data = super().clean() or self.cleaned_data
        chosen = data.get("organization")
        owner = chosen.id if chosen else self.instance.organization_id
        if any(agent.organization_id != owner for agent in data.get("agents", ())):
            raise ValidationError({"agents": "This organisation has no such agent."})
        return data


@admin.register(ApiKey)
class ApiKeyAdmin(OwnedAdmin):
    form = ApiKeyForm
    actions = ("revoke",)
    autocomplete_fields = ("organization", "agents")
    list_display = (
        *("name", "prefix", "last_four", "organization", "scopes"),
        *("last_used_at", "expires_at", "revoked_at"),
    )
    list_filter = (
        ("revoked_at", admin.EmptyFieldListFilter),
        *("every_agent", "expires_at", "last_used_at", "created_at"),
    )
    search_fields = ("id", "name", "prefix", "last_four", "agents__slug", "organization__name")
    readonly_fields = (
        *("id", "prefix", "last_four", "created_at", "last_used_at", "revoked_at"),
        "rotated_from",
    )

    def save_model(
        self, request: HttpRequest, obj: ApiKey, form: forms.ModelForm, change: bool
    ) -> None:
        """A new key is shown once."""
        token = None if change else keys.issue(obj)
        super().save_model(request, obj, form, change)
        if token:
            # The message travels in a cookie of this browser, and is gone once it was shown.
            text = f"Copy the key now, it cannot be shown again: {token}"
            self.message_user(request, text, messages.WARNING)

    @admin.action(description="Revoke selected API keys", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """End the chosen keys for good."""
        for key in queryset:
            keys.revoke(key)
        self.message_user(request, "Revoked.", messages.SUCCESS)


class McpServerForm(forms.ModelForm):
    """A server, and headers that are only written."""

    more_headers = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        label="Headers",
        help_text='One a line, such as "Authorization: Bearer ${secrets.CRM}". They are added to'
        " those that are stored, which are not shown.",
    )

    class Meta:
        model = McpServer
        fields = ("organization", "name", "url", "stdio", "timeout_ms")

    def clean(self) -> dict[str, Any]:
        """Adds the headers to those that the server has."""
        data = super().clean() or self.cleaned_data
        lines = [line for line in data.get("more_headers", "").splitlines() if line.strip()]
        pairs = [line.partition(":") for line in lines]
        given = {name.strip(): value.strip() for name, _, value in pairs}
        try:
            self.instance.headers = json.dumps(merged(headers_of(self.instance), given))
        except ClawError as error:
            raise ValidationError({"more_headers": error.message}) from None
        return data


@admin.register(McpServer)
class McpServerAdmin(OwnedAdmin):
    form = McpServerForm
    autocomplete_fields = ("organization",)
    list_display = ("name", "organization", "url", "stdio", "updated_at")
    search_fields = ("id", "name", "url", "organization__name")
    readonly_fields = ("id", "created_at", "updated_at")
