"""The forms of an agent: their fields are those of the model, with its rules."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet

from accounts.models import Secret
from agents.models import Agent, AgentVersion
from console.agents.templates import TEMPLATES
from wire.objects.versions import MAX_NOTE


class LinesField(forms.CharField):
    """A list of texts, one a line."""

    widget = forms.Textarea(attrs={"rows": 3})

    def prepare_value(self, value: Any) -> Any:
        """The list as lines; what was typed stays as it is."""
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """The lines that are not blank."""
        return [
            line.strip() for line in (super().to_python(value) or "").splitlines() if line.strip()
        ]


class AgentForm(forms.ModelForm):
    """Checks what was typed; `agents.api.agents` stores it."""

    def given(self) -> dict[str, Any]:
        """The fields as `agents.api.agents` takes them."""
        fields = dict(self.cleaned_data)
        if "credential" in fields:
            credential = fields.pop("credential")
            fields["credential_id"] = credential and credential.id
        return fields


class NewAgentForm(forms.Form):
    """A name, and what to begin with."""

    name = forms.CharField(max_length=150, help_text="Its address is made of it.")
    template = forms.ChoiceField(
        label="Begin with",
        choices=[(name, words) for name, (words, _) in TEMPLATES.items()],
        initial="support",
        widget=forms.RadioSelect,
    )

    def given(self) -> dict[str, Any]:
        """The fields of the agent that is asked for."""
        _, fields = TEMPLATES[self.cleaned_data["template"]]
        return fields | {"name": self.cleaned_data["name"]}


class InstructionsForm(AgentForm):
    """The agent's instructions and its greeting."""

    prompts = LinesField(required=False, help_text="Questions to begin with, one a line.")

    class Meta:
        model = Agent
        fields = ("instructions", "greeting", "prompts")
        widgets = {
            "instructions": forms.Textarea(attrs={"rows": 14}),
            "greeting": forms.Textarea(attrs={"rows": 2}),
        }


class ModelForm(AgentForm):
    """The agent's model, and the account that pays for it."""

    client_tools = LinesField(
        required=False,
        label="Tools that a page may bring",
        help_text="Their names, one a line: the page itself carries them out.",
    )

    class Meta:
        model = Agent
        fields = (
            *("provider", "model", "base_url", "credential"),
            *("max_tokens", "context_tokens", "thinking", "parameters", "tools"),
            "client_tools",
        )
        labels = {"base_url": "Model server", "context_tokens": "Conversation, in tokens"}
        widgets = {
            "parameters": forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
            "tools": forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        }
        help_texts = {
            "parameters": 'Sent to the model as they are, such as {"temperature": 0.2}.',
            "credential": "The account that pays. None: the one of this site, if you may use it.",
        }

    def __init__(self, *args: Any, secrets: QuerySet[Secret], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["credential"].queryset = secrets
        self.fields["credential"].label_from_instance = lambda secret: secret.name


class LimitsForm(AgentForm):
    """The name of an agent, and its visitors: what they see, and how much they may ask."""

    allowed_origins = LinesField(
        required=False,
        label="Pages that may have the chat",
        help_text="One a line: https://example.com, https://*.example.com.",
    )

    class Meta:
        model = Agent
        fields = (
            *("name", "public_page", "allowed_origins"),
            *("visitor_messages_per_minute", "visitor_messages_per_day"),
            *("show_thinking", "show_tools", "show_usage"),
            *("if_busy", "on_crash", "on_disconnect"),
        )
        labels = {
            "if_busy": "A message while it answers",
            "on_crash": "An answer whose server dies",
            "on_disconnect": "An answer whose reader leaves",
        }


class PublishForm(forms.Form):
    """A note for those who look at the versions later."""

    note = forms.CharField(
        required=False, max_length=MAX_NOTE, help_text="What is new, for the list of versions."
    )


class VisitorVersionForm(forms.Form):
    """The version that visitors have."""

    visitor_version = forms.TypedChoiceField(required=False, coerce=int, empty_value=None)

    def __init__(self, *args: Any, agent: Agent, versions: Sequence[AgentVersion]) -> None:
        super().__init__(*args, initial={"visitor_version": agent.visitor_version or ""})
        numbered = [(row.number, f"Version {row.number}") for row in versions]
        self.fields["visitor_version"].choices = [("", "The published version"), *numbered]
