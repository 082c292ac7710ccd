"""The operator's admin of agents and API keys."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin import OwnedAdmin
from agents import changes, identity, keys
from agents.models import Agent, ApiKey
from agents.validators import SCOPES

POLICIES = ("if_busy", "on_disconnect", "on_crash")


@admin.register(Agent)
class AgentAdmin(OwnedAdmin):
    autocomplete_fields = ("organization", "credential")
    list_display = ("slug", "name", "organization", "provider", "model", "updated_at")
    list_filter = ("provider", "on_disconnect", "created_at")
    search_fields = ("id", "slug", "name", "organization__name")
    readonly_fields = ("id", "created_at", "updated_at")
    fieldsets = (
        (None, {"fields": ("id", "organization", "slug", "name", "instructions")}),
        (
            "Model",
            {
                "fields": (
                    *("provider", "model", "credential", "base_url", "parameters"),
                    *("max_tokens", "context_tokens", "thinking"),
                )
            },
        ),
        ("Conversation", {"fields": ("show_thinking", "show_tools", *POLICIES)}),
        (
            "Visitors",
            {
                "fields": (
                    *("allowed_origins", "public_page", "greeting", "prompts"),
                    *("visitor_messages_per_minute", "visitor_messages_per_day"),
                )
            },
        ),
        ("Dates", {"fields": ("created_at", "updated_at")}),
    )
    actions = ("make_identity_secret",)

    def save_model(
        self, request: HttpRequest, obj: Agent, form: forms.ModelForm, change: bool
    ) -> None:
        """A change holds from the agent's next use."""
        super().save_model(request, obj, form, change)
        changes.announce(obj.organization_id)

    @admin.action(description="Make a new identity secret", permissions=["change"])
    def make_identity_secret(self, request: HttpRequest, queryset: QuerySet[Agent]) -> None:
        """One for each agent, shown this once: what signs the agent's own users in."""
        for agent in queryset:
            # The message travels in a cookie of this browser, and is gone once it was shown.
            secret = identity.new_secret(agent)
            text = f"{agent}: copy the identity secret now, it cannot be shown again: {secret}"
            self.message_user(request, text, messages.WARNING)


class ApiKeyForm(forms.ModelForm):
    """What a key opens; the key itself is made by us."""

    scopes = forms.MultipleChoiceField(
        choices=[(scope, scope) for scope in SCOPES], widget=forms.CheckboxSelectMultiple
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
    list_display = ("name", "prefix", "last_four", "organization", "expires_at", "revoked_at")
    list_filter = ("revoked_at", "expires_at", "created_at")
    search_fields = ("id", "name", "prefix", "organization__name")
    readonly_fields = (
        *("id", "prefix", "last_four", "created_at", "last_used_at", "revoked_at"),
        "rotated_from",
    )

    def save_model(
        self, request: HttpRequest, obj: ApiKey, form: forms.ModelForm, change: bool
    ) -> None:
        """A new key is shown once; a change holds from the key's next use."""
        token = None if change else keys.issue(obj)
        super().save_model(request, obj, form, change)
        changes.announce(obj.organization_id)
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
