"""The system check of `SECRET_KEY`: an attacker who guesses it can forge every session."""

from itertools import pairwise
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured

MIN_LENGTH = 32  # characters: 128 bits, if they are hexadecimal digits
MIN_DIFFERENT = 12  # of them: hexadecimal ones that are random have some 14
EXAMPLES = ("django-insecure-", "development-only", "change", "example", "secret-key", "your-")
"""Beginnings and parts of values that stand in guides."""

HINT = "`make run` writes one into .env where none is. Or set 50 random characters."


def weak_secret_key(**kwargs: Any) -> list[CheckMessage]:
    """E010: outside of development a secret key, also one of `SECRET_KEY_FALLBACKS`, is long and
    random."""
    if settings.DEBUG:
        return []
    try:
        keys = {"SECRET_KEY": [settings.SECRET_KEY]}
    except ImproperlyConfigured:
        return []  # E001
    keys["SECRET_KEY_FALLBACKS"] = settings.SECRET_KEY_FALLBACKS
    return [
        Error(f"{name} is weak: {problem}.", hint=HINT, id="clawsite.E010")
        for name, values in keys.items()
        for value in values
        if (problem := weakness(value))
    ]


def weakness(key: str) -> str | None:
    """The weakness of a key, if it has one."""
    if len(key) < MIN_LENGTH:
        return f"it has fewer than {MIN_LENGTH} characters"
    if any(part in key.lower() for part in EXAMPLES):
        return "it is an example"
    if len(set(key)) < MIN_DIFFERENT or _repeats(key):
        return "it is not random"
    return None


def _repeats(key: str) -> bool:
    """Whether it is a shorter text over and over, or counts up."""
    period = (key + key).find(key, 1)
    steps = {ord(after) - ord(before) for before, after in pairwise(key)}
    return period < len(key) or len(steps) < 4
