"""The filters of the list of conversations; the address of the page holds them."""

from typing import Any

from django import forms

from agents.models import Agent
from conversations.history.access import MAX_QUERY, Search

WHO = [
    ("", "Anybody"),
    ("visitor", "Visitors"),
    ("user", "Known users"),
    ("key", "API keys"),
    ("member", "Members"),
]


class SearchForm(forms.Form):
    """A search and filters, named as those of `GET /api/conversations` but for the agent's slug;
    what is not understood filters nothing."""

    q = forms.CharField(required=False, max_length=MAX_QUERY)
    agent = forms.ChoiceField(required=False)
    visitor = forms.CharField(required=False, max_length=160)
    by = forms.ChoiceField(required=False, choices=WHO)

    def __init__(self, *args: Any, agents: list[Agent], **options: Any) -> None:
        super().__init__(*args, **options)
        every = [("", "All agents"), *((agent.slug, agent.name) for agent in agents)]
        self.fields["agent"].choices = every
        for name in ("from", "to"):
            self.fields[name] = forms.DateField(required=False)

    def search(self) -> Search:
        """The search, without the agent."""
        self.full_clean()
        given = {name: value for name, value in self.cleaned_data.items() if value}
        words = {name: given[name] for name in ("q", "visitor", "by") if name in given}
        return Search(**words, first=given.get("from"), last=given.get("to"))

    @property
    def slug(self) -> str:
        """The agent that is meant, empty for all."""
        return str(self.cleaned_data.get("agent") or "")
