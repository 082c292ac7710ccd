"""`settings/`: the organisation's name and time zone, and its end."""

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


class OrganizationForm(forms.Form):
    """The fields of an organisation that can be changed."""

    name = forms.CharField(max_length=150)
    time_zone = forms.ChoiceField(
        choices=lambda: [(name, name) for name in sorted(available_timezones())],
        help_text="The days of usage and budgets begin and end there.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
@for_members("admin")
def show(request: HttpRequest, member: Member) -> HttpResponse:
    """The organisation's fields; owners may delete it."""
    organization = member.organization
    initial = {"name": organization.name, "time_zone": organization.time_zone}
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
