"""`settings/retention/`: how long conversations are kept, and what a choice would delete."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from agents.api.organization.organization import alter
from console.members import Member, for_members
from conversations.access.retention import MAX_DAYS, preview


class RetentionForm(forms.Form):
    """The days; without any, conversations are kept."""

    days = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MAX_DAYS,
        label="Days without a message",
        help_text="Older conversations are deleted each day, for good. Empty: all are kept.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
@for_members("admin")
def show(request: HttpRequest, member: Member) -> HttpResponse:
    """The form. Its button `preview` shows what would go, and saves nothing."""
    kept = member.organization.retention_days
    form = RetentionForm(request.POST or None, initial={"days": kept})
    days = form.cleaned_data["days"] if form.is_valid() else None
    if form.is_valid() and "preview" not in request.POST:
        alter(member.caller, {"retention_days": days})
        words = f"Conversations are kept for {days} days." if days else "Conversations are kept."
        messages.success(request, words)
        return redirect(member.address("retention"))
    context = {
        "section": "retention",
        "form": form,
        "kept": kept,
        "days": days,
        "going": preview(member.organization.id, days) if days else None,
    }
    return render(request, "console/settings/retention.html", context)
