"""The form of an alert rule."""

from typing import Any

from django import forms

from agents.models import Agent
from alerts.metrics import UNITS, Metric
from alerts.models import MAX_WINDOW, MIN_WINDOW, AlertRule, Comparison, Severity
from webhooks.models import Webhook

HINTS = {"ratio": "0 to 1", "ms": "ms", "USD": "US dollars", "runs": "", "tokens": ""}


class RuleForm(forms.Form):
    """The number that is watched, its threshold, and the people who are told."""

    name = forms.CharField(max_length=100)
    metric = forms.ChoiceField(label="Watch")
    agents = forms.MultipleChoiceField(
        required=False, help_text="None chosen: all agents of the organisation."
    )
    comparison = forms.ChoiceField(choices=Comparison.choices, label="Alert when it is")
    threshold = forms.FloatField(
        min_value=0, help_text="Shares are from 0 to 1, times in milliseconds, costs in US dollars."
    )
    resolve_threshold = forms.FloatField(
        required=False,
        min_value=0,
        label="Resolve at",
        help_text="Empty: at the threshold. With some distance a number that moves about the "
        "threshold makes one alert.",
    )
    window_seconds = forms.IntegerField(
        min_value=MIN_WINDOW, max_value=MAX_WINDOW, initial=300, label="In the last (seconds)"
    )
    for_seconds = forms.IntegerField(
        min_value=0, max_value=MAX_WINDOW, initial=0, label="When it lasts for (seconds)"
    )
    severity = forms.ChoiceField(choices=Severity.choices, initial=Severity.WARNING)
    emails = forms.CharField(
        required=False,
        label="Tell by mail",
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Addresses, one on each line.",
    )
    webhooks = forms.MultipleChoiceField(required=False, label="Tell webhooks")
    enabled = forms.BooleanField(required=False, initial=True)

    def __init__(
        self, *args: Any, agents: list[Agent], webhooks: list[Webhook], **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.fields["metric"].choices = [
            (metric, f"{label}{_hint(metric)}") for metric, label in Metric.choices
        ]
        self.fields["agents"].choices = [(agent.id, agent.name) for agent in agents]
        self.fields["webhooks"].choices = [(hook.id, hook.url) for hook in webhooks]
        if not webhooks:
            del self.fields["webhooks"]

    def given(self) -> dict[str, Any]:
        """The fields as `conversations.usage.alerting` takes them."""
        return self.cleaned_data | {"emails": self.cleaned_data["emails"].split()}


def initial_of(rule: AlertRule) -> dict[str, Any]:
    """The first values in the form of a rule."""
    same = ("name", "metric", "agents", "comparison", "threshold", "resolve_threshold")
    more = ("window_seconds", "for_seconds", "severity", "webhooks", "enabled")
    values = {name: getattr(rule, name) for name in (*same, *more)}
    return values | {"emails": "\n".join(rule.emails)}


def _hint(metric: str) -> str:
    hint = HINTS[UNITS[metric]]
    return f" ({hint})" if hint else ""
