"""The invitation whose page was opened in a session."""

from django.http import HttpRequest

from accounts.access import invitation_of
from accounts.members import digest
from accounts.models import Invitation

SESSION_KEY = "invitation"
"""The name under which the session keeps the code."""


def invitation_in(request: HttpRequest) -> Invitation | None:
    """The invitation with which somebody signs up, unless it is over."""
    code = request.session.get(SESSION_KEY)
    return invitation_of(digest(code)) if code else None
