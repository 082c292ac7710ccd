"""`/`: what this site is, and the way in."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe


@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    """The page for strangers; members go on to the console."""
    if request.user.is_authenticated:
        return redirect("console")
    return render(request, "console/landing.html", {"may_sign_up": settings.CLAW_SIGNUP == "open"})
