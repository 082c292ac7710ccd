"""`settings/`: the organisation's name, and its end."""

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.models import Membership
from agents.api.organization.organization import rename
from console.forms import report
from console.members import Member, for_members
from engine.errors import ClawError


class OrganizationForm(forms.Form):
    """What can be changed of an organisation."""

    name = forms.CharField(max_length=150)


@require_http_methods(["GET", "HEAD", "POST"])
@for_members("admin")
def show(request: HttpRequest, member: Member) -> HttpResponse:
    """Its name; owners may delete it."""
    form = OrganizationForm(request.POST or None, initial={"name": member.organization.name})
    if request.method == "POST" and form.is_valid():
        try:
            renamed = rename(member.caller, form.cleaned_data["name"])
        except (ClawError, ValidationError) as error:
            report(form, error)
        else:
            messages.success(request, f"The organisation is called {renamed.name}.")
            return redirect(member.address("organization"))
    context = {
        "section": "organization",
        "form": form,
        "owner": member.membership.role == Membership.Role.OWNER,
    }
    return render(request, "console/organization.html", context)
