"""`settings/`: the organisation's name and time zone, and its end."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.models import Membership
from agents.api.organization.organization import alter
from console.forms import report
from console.members import Member, for_members
from engine.errors import ClawError

MAIL_AFTER = [
    ("", "never"),
    (60, "after a minute"),
    (300, "after 5 minutes"),
    (3600, "after an hour"),
    (86400, "after a day"),
]


class OrganizationForm(forms.Form):
    """The fields of an organisation that can be changed."""

    name = forms.CharField(max_length=150)
    time_zone = forms.ChoiceField(
        choices=lambda: [(name, name) for name in sorted(available_timezones())],
        help_text="The days of usage and budgets begin and end there.",
    )
    approval_mail_seconds = forms.TypedChoiceField(
        required=False,
        coerce=int,
        empty_value=None,
        label="Mail about approvals that wait",
        help_text="To owners, admins and members; at most one in 15 minutes.",
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        now = self.initial["approval_mail_seconds"]  # the API may have set any
        own = [] if now in dict([(None, ""), *MAIL_AFTER]) else [(now, f"after {now} seconds")]
        self.fields["approval_mail_seconds"].choices = [*MAIL_AFTER, *own]


@require_http_methods(["GET", "HEAD", "POST"])
@for_members("admin")
def show(request: HttpRequest, member: Member) -> HttpResponse:
    """The organisation's fields; owners may delete it."""
    organization = member.organization
    initial = {
        "name": organization.name,
        "time_zone": organization.time_zone,
        "approval_mail_seconds": organization.approval_mail_seconds,
    }
    form = OrganizationForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            altered = alter(member.caller, form.cleaned_data)
        except (ClawError, ValidationError) as error:
            report(form, error)
        else:
            messages.success(request, f"Saved: {altered.name}, {altered.time_zone}.")
            return redirect(member.address("organization"))
    context = {
        "section": "organization",
        "form": form,
        "owner": member.membership.role == Membership.Role.OWNER,
    }
    return render(request, "console/settings/organization.html", context)
