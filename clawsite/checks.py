"""System checks: what would bite later, said before the start, with how to mend it."""

from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured

from accounts.encryption import encryption_keys

NEW_ENCRYPTION_KEY = (
    "`make run` writes one into .env. By hand: python -c 'from cryptography.fernet import Fernet; "
    "print(Fernet.generate_key().decode())'"
)


def secret_key(**kwargs: Any) -> list[CheckMessage]:
    """E001: without a secret key no login and no signed token is possible."""
    try:
        settings.SECRET_KEY  # noqa: B018 - Django raises on reading an empty one
    except ImproperlyConfigured:
        hint = "`make run` writes one into .env. Or set 50 random characters, or DEBUG=1 to try."
        return [Error("SECRET_KEY is not set.", hint=hint, id="clawsite.E001")]
    return []


def encryption(**kwargs: Any) -> list[CheckMessage]:
    """E002, E003: the secrets of organisations are stored encrypted or not at all."""
    keys = encryption_keys()
    if not keys:
        return [
            Error("CLAW_ENCRYPTION_KEYS is not set.", hint=NEW_ENCRYPTION_KEY, id="clawsite.E002")
        ]
    for place, key in enumerate(keys, 1):
        try:
            Fernet(key)
        except ValueError:
            problem = f"Key {place} of CLAW_ENCRYPTION_KEYS is not a Fernet key."
            return [Error(problem, hint=NEW_ENCRYPTION_KEY, id="clawsite.E003")]
    return []


def services(**kwargs: Any) -> list[CheckMessage]:
    """E004: Redis is for several processes, which share one PostgreSQL."""
    if not settings.REDIS_URL or not settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        return []
    hint = "Unset REDIS_URL to run as one process, which needs no Redis."
    return [Error("REDIS_URL is set, but the database is SQLite.", hint=hint, id="clawsite.E004")]


def demo_in_production(**kwargs: Any) -> list[CheckMessage]:
    """W001: without a model account every agent that may choose answers as the demo."""
    if settings.DEBUG or settings.ANTHROPIC_API_KEY:
        return []
    problem = "ANTHROPIC_API_KEY is not set: agents without a credential of their own are demos."
    hint = "Set it, or silence this if every organisation brings its own key."
    return [Warning(problem, hint=hint, id="clawsite.W001")]
