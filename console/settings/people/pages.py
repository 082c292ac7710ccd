"""`settings/members/`: who belongs to the organisation, and who is invited."""

from collections.abc import Callable

from asgiref.sync import async_to_sync
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts import access, members
from agents.api.organization.invitations import invite
from agents.api.organization.managers import manager
from console.forms import report
from console.members import Member, for_members
from console.settings.people.forms import InvitationForm, RoleForm
from core.http import Page, newest, page_of
from engine.errors import ClawError

MAX_INVITATIONS = 100  # that are shown


@require_http_methods(["GET", "HEAD", "POST"])
@for_members("admin")
def index(request: HttpRequest, member: Member) -> HttpResponse:
    """The members and the invitations; the form invites one more."""
    form = InvitationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            invitation = async_to_sync(invite)(member.caller, **form.cleaned_data)
        except (ClawError, ValidationError) as error:
            report(form, error)
        else:
            messages.success(request, f"{invitation.email} is invited, for seven days.")
            return redirect(member.address("members"))
    rows, cursor = newest(access.members_of(member.organization.id), page_of(request))
    invited = access.invitations_of(member.organization.id)
    context = {
        "section": "members",
        "form": form,
        "members": rows,
        "cursor": cursor,
        "invitations": newest(invited, Page(limit=MAX_INVITATIONS))[0],
        "roles": RoleForm.base_fields["role"].choices,
    }
    return render(request, "console/settings/people/members.html", context)


@require_POST
@for_members("admin")
def change(request: HttpRequest, member: Member, member_id: str) -> HttpResponse:
    """Give a member another role."""
    form = RoleForm(request.POST)
    if form.is_valid():
        role = form.cleaned_data["role"]
        _do(request, lambda: members.change_role(manager(member.caller), member_id, role))
    return redirect(member.address("members"))


@require_POST
@for_members("admin")
def remove(request: HttpRequest, member: Member, member_id: str) -> HttpResponse:
    """End a membership: what the person has open is cut."""
    _do(request, lambda: members.remove(manager(member.caller), member_id))
    return redirect(member.address("members"))


@require_POST
@for_members("admin")
def withdraw(request: HttpRequest, member: Member, invitation_id: str) -> HttpResponse:
    """Take an invitation back."""
    access.withdraw_invitation(member.organization.id, invitation_id)
    return redirect(member.address("members"))


def _do(request: HttpRequest, change: Callable[[], object]) -> None:
    """Change something; a refusal that is no matter of rights is said on the next page."""
    try:
        change()
    except ClawError as error:
        if error.code != "in_use":
            raise
        messages.error(request, error.message)
