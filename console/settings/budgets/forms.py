"""The forms of a budget."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from agents.models import Agent, ApiKey
from metering.models import Budget

UNITS = [("amount", "US dollars"), ("tokens", "tokens")]
ORGANIZATION, VISITORS = "organization:", "visitor:"


class LimitForm(forms.Form):
    """How much may be spent."""

    limit = forms.DecimalField(min_value=0, max_digits=14, decimal_places=6, localize=False)
    unit = forms.ChoiceField(choices=UNITS)
    soft_percent = forms.IntegerField(
        min_value=1,
        max_value=100,
        initial=80,
        label="Warn at (per cent)",
        help_text="From here on it is marked on this page, and over the API.",
    )
    hard = forms.BooleanField(
        required=False,
        initial=True,
        label="Stop when it is used up",
        help_text="New messages are refused; an answer that is under way ends with what it has.",
    )

    def clean(self) -> dict[str, Any]:
        """Tokens are whole."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        limit = data.get("limit")
        if data.get("unit") == "tokens" and limit is not None and limit != int(limit):
            raise ValidationError({"limit": "A number of tokens is whole."})
        return data

    def given(self) -> dict[str, Any]:
        """The fields as `conversations.usage.keeping` takes them."""
        data = self.cleaned_data
        dollars = data["unit"] == "amount"
        return {
            "amount": data["limit"] if dollars else None,
            "tokens": None if dollars else int(data["limit"]),
            "soft_percent": data["soft_percent"],
            "hard": data["hard"],
        }


class NewBudgetForm(LimitForm):
    """The scope of a budget, and its amount."""

    target = forms.ChoiceField(label="For")
    period = forms.ChoiceField(
        choices=[("day", "a day"), ("month", "a month"), ("total", "in all")], initial="month"
    )
    field_order = ("target", "limit", "unit", "period", "soft_percent", "hard")

    def __init__(self, *args: Any, agents: list[Agent], keys: list[ApiKey], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["target"].choices = [
            (ORGANIZATION, "The whole organisation"),
            (VISITORS, "Each visitor"),
            ("Agents", [(f"agent:{agent.id}", agent.name) for agent in agents]),
            ("API keys", [(f"key:{key.id}", key.name) for key in keys]),
        ]

    def given(self) -> dict[str, Any]:
        """The fields as `conversations.usage.keeping` takes them."""
        scope, _, target = self.cleaned_data["target"].partition(":")
        mine = {"scope": scope, "target_id": target, "period": self.cleaned_data["period"]}
        return super().given() | mine


def initial_of(budget: Budget) -> dict[str, Any]:
    """The first values in the form of a budget."""
    dollars = budget.amount is not None
    return {
        "limit": f"{budget.amount.normalize():f}" if dollars else budget.tokens,
        "unit": "amount" if dollars else "tokens",
        "soft_percent": budget.soft_percent,
        "hard": budget.hard,
    }
