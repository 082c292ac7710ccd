"""The choices of the usage page; its address holds them, named as those of `GET /api/usage`."""

from django import forms

PERIODS = [("7", "7 days"), ("30", "30 days"), ("90", "90 days"), ("365", "365 days")]
GROUPS = [("agent", "Agent"), ("model", "Model"), ("key", "API key"), ("day", "Day")]


class UsageForm(forms.Form):
    """The days, and the groups of the table; a value that is not understood has its default."""

    days = forms.ChoiceField(choices=PERIODS, required=False)
    groupBy = forms.ChoiceField(choices=GROUPS, required=False)

    @property
    def length(self) -> int:
        """The number of days, up to today."""
        return int(self.cleaned_data.get("days") or 30)

    @property
    def group(self) -> str:
        """By what the table is grouped."""
        return str(self.cleaned_data.get("groupBy") or "agent")
