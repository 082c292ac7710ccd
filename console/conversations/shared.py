"""`/shared/<token>/`: a conversation that was shared, for everybody who has its address."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from conversations.history.page import next_messages
from conversations.history.sharing import shared
from core.http import number
from engine.errors import ClawError
from wire.visibility import SHARED


@require_safe
def show(request: HttpRequest, token: str) -> HttpResponse:
    """The texts of a shared conversation: no thinking, no tools, no name but the agent's."""
    share = shared(token)
    if share is None:
        raise Http404
    try:
        position = number(request, "after", 0) or 0
    except ClawError:
        raise Http404 from None
    said, further = next_messages(share.conversation, position, SHARED, share.until)
    context = {"share": share, "said": said, "further": further}
    response = render(request, "console/conversations/shared.html", context)
    response["Cache-Control"] = "private, no-store"
    response["Referrer-Policy"] = "no-referrer"  # a link in it must not tell its address
    response["X-Robots-Tag"] = "noindex"
    return response
