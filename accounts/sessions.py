"""Sessions of people who have signed in, for views without Django's middleware.

https://docs.djangoproject.com/en/stable/topics/http/sessions/"""

from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, load_backend
from django.utils.crypto import constant_time_compare

from accounts.models import User

ORGANIZATION = "organization"
"""The session's key for the id of the organisation that was used last."""


def open_session(key: str) -> Any:
    """The session with this key, which may be empty: an unknown key has nothing in it."""
    store = import_module(settings.SESSION_ENGINE).SessionStore
    return store(session_key=key)


def user_of(session: Any) -> User | None:
    """The person who is signed in. None once the session has ended, the person is no longer
    active, or their password has changed since.

    `django.contrib.auth.get_user` does the same and may give the session another key, for which a
    cookie must be set."""
    backend = session.get(BACKEND_SESSION_KEY)
    if backend not in settings.AUTHENTICATION_BACKENDS:
        return None
    user: User | None = load_backend(backend).get_user(session[SESSION_KEY])
    if user is None:
        return None
    shown = session.get(HASH_SESSION_KEY, "")
    good = (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
    return user if any(constant_time_compare(shown, each) for each in good) else None
