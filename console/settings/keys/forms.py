"""The form of a new API key."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone

from agents.models import Agent
from agents.validators import DEFAULT_SCOPES, SCOPES
from console.agents.forms import LinesField
from wire.objects.management import NewKey

EXPIRIES = [("", "Never"), ("30", "30 days"), ("90", "90 days"), ("365", "1 year")]


class NewKeyForm(forms.Form):
    """The agents that the key opens, and its limits."""

    name = forms.CharField(max_length=100, help_text="For people: where the key is used.")
    agents = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None: every agent of the organisation, also future ones.",
    )
    scopes = forms.MultipleChoiceField(
        choices=[(scope, scope) for scope in SCOPES],
        initial=list(DEFAULT_SCOPES),
        widget=forms.CheckboxSelectMultiple,
    )
    expires = forms.ChoiceField(choices=EXPIRIES, required=False)
    requests_per_minute = forms.IntegerField(required=False, min_value=1)
    monthly_budget = forms.DecimalField(
        required=False, min_value=0, max_digits=12, decimal_places=4, help_text="US dollars."
    )
    allowed_origins = LinesField(
        required=False,
        help_text="Web pages that may use it, one a line. An API key in a page is open to everybody"
        " who reads the page.",
    )

    def __init__(self, *args: Any, agents: list[Agent], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["agents"].choices = [(agent.slug, agent.name) for agent in agents]

    def given(self) -> NewKey:
        """The key that is asked for."""
        data = self.cleaned_data
        days = data["expires"]
        return NewKey(
            name=data["name"],
            scopes=data["scopes"],
            agents=data["agents"],
            every_agent=not data["agents"],
            allowed_origins=data["allowed_origins"],
            expires_at=timezone.now() + timedelta(days=int(days)) if days else None,
            requests_per_minute=data["requests_per_minute"],
            monthly_budget=data["monthly_budget"],
        )


class RotationForm(forms.Form):
    """The time for which the old key stays valid beside the new one."""

    overlap = forms.TypedChoiceField(
        coerce=int,
        choices=[(0, "Ends at once"), (3600, "1 hour"), (86400, "1 day"), (604800, "7 days")],
        initial=86400,
        label="The old key stays valid for",
    )
