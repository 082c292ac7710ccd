"""`/invitations/<code>/`: where an invitation leads; its code is kept while somebody signs up."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts import members
from accounts.access import invitation_of
from console.entrance.invited import SESSION_KEY
from engine.errors import ClawError


@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, code: str) -> HttpResponse:
    """Says what the invitation is for; who is signed in accepts it."""
    invitation = invitation_of(members.digest(code))
    if invitation is None:
        raise Http404
    if request.method == "POST" and request.user.is_authenticated:
        try:
            membership = members.accept(code, request.user)
        except ClawError as error:
            messages.error(request, error.message)
        else:
            return redirect("console:overview", org=membership.organization.slug)
    request.session[SESSION_KEY] = code
    return render(request, "console/settings/people/invitation.html", {"invitation": invitation})
