"""`settings/keys/`: the API keys of the organisation."""

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from agents import access
from agents.api.keys import make
from agents.auth import keys, rotation
from agents.models import ApiKey
from console.forms import report
from console.members import Member, for_members
from console.settings.keys.forms import NewKeyForm, RotationForm
from core.http import newest, page_of
from engine.errors import ClawError

MAX_AGENTS = 200  # to choose from


@require_safe
@for_members("admin")
def index(request: HttpRequest, member: Member) -> HttpResponse:
    """The newest first, also those that have ended."""
    rows, cursor = newest(
        access.keys_of_organization(member.caller).prefetch_related("agents"), page_of(request)
    )
    now = timezone.now()
    context = {
        "section": "keys",
        "keys": [(key, state_of(key, now)) for key in rows],
        "cursor": cursor,
        "rotation": RotationForm(),
    }
    return render(request, "console/settings/keys/list.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@for_members("admin")
def create(request: HttpRequest, member: Member) -> HttpResponse:
    """`settings/keys/new/`: the answer to the form is the only page that shows the key."""
    agents = list(access.agents_listed(member.caller).order_by("name")[:MAX_AGENTS])
    form = NewKeyForm(request.POST or None, agents=agents)
    if request.method == "POST" and form.is_valid():
        body = form.given()
        try:
            key, token = make(member.caller, body, body.agents)
        except (ClawError, ValidationError) as error:
            report(form, error)
        else:
            return _shown_once(request, key, token)
    return render(request, "console/settings/keys/new.html", {"section": "keys", "form": form})


@never_cache
@require_POST
@for_members("admin")
def rotate(request: HttpRequest, member: Member, key_id: str) -> HttpResponse:
    """A new key in place of this one."""
    key = access.key_of_organization(member.caller, key_id)
    form = RotationForm(request.POST)
    if not form.is_valid():
        return redirect(member.address("keys"))
    overlap = timedelta(seconds=form.cleaned_data["overlap"])
    successor, token = rotation.rotate(key, overlap=overlap)
    return _shown_once(request, successor, token)


@require_POST
@for_members("admin")
def revoke(request: HttpRequest, member: Member, key_id: str) -> HttpResponse:
    """End a key for good: what it has open is cut within a second."""
    keys.revoke(access.key_of_organization(member.caller, key_id))
    return redirect(member.address("keys"))


def state_of(key: ApiKey, now: timezone.datetime) -> str:
    """`active`, `expired` or `revoked`."""
    if key.revoked_at:
        return "revoked"
    return "expired" if key.expires_at and key.expires_at <= now else "active"


def _shown_once(request: HttpRequest, key: ApiKey, token: str) -> HttpResponse:
    context = {"section": "keys", "key": key, "token": token}
    return render(request, "console/settings/keys/made.html", context)
