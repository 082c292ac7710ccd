"""System checks: what would bite later, said before the start, with how to mend it."""

import os
import re
import tempfile
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured

from accounts.encryption import encryption_keys
from agents.outbound.programs import programs
from engine.http.guard import HOST, is_address

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


def addresses(**kwargs: Any) -> list[CheckMessage]:
    """E005, E006: names of hosts are no addresses of sites."""
    found: list[CheckMessage] = []
    domain = settings.CLAW_AGENT_DOMAIN
    if not HOST.fullmatch(domain) or is_address(domain):
        problem = f"CLAW_AGENT_DOMAIN is {domain!r}, which is no domain."
        hint = "Set it to a name, such as agents.example.com: no https://, port, path or first dot."
        found.append(Error(problem, hint=hint, id="clawsite.E005"))
    for host in settings.ALLOWED_HOSTS:
        if "/" in host or (not host.startswith("[") and ":" in host):
            problem = f"ALLOWED_HOSTS has {host!r}, which no request can match."
            hint = "Name hosts alone, such as example.com: no https://, port or path."
            found.append(Error(problem, hint=hint, id="clawsite.E006"))
    return found


def model_keys(**kwargs: Any) -> list[CheckMessage]:
    """E007: a key is sent in a header, which holds no control characters."""
    hint = "Copy the key again: it is one line of letters, digits and signs."
    return [
        Error(f"{name} has a character that no key has.", hint=hint, id="clawsite.E007")
        for name in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "CLAW_METRICS_TOKEN")
        if not re.fullmatch(r"[\x21-\x7e]*", getattr(settings, name))
    ]


def folders(**kwargs: Any) -> list[CheckMessage]:
    """E011: without a database or a journal that can be written no message is taken."""
    if settings.CLAW_SCALED_OUT:
        return []
    found = _unwritable("CLAW_DATA_DIR", _first_there(settings.CLAW_DATA_DIR.absolute()))
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3") and os.path.isabs(database["NAME"]):
        file = Path(database["NAME"])
        found += _unwritable("DATABASE_URL", file.parent)
        if file.exists() and not os.access(file, os.W_OK):
            found.append(_no_place("DATABASE_URL", file, "it is for reading only"))
    return found


def _first_there(folder: Path) -> Path:
    """The folder or the nearest above it that exists, in which it would be made."""
    return next(place for place in (folder, *folder.parents) if place.exists())


def _unwritable(name: str, folder: Path) -> list[CheckMessage]:
    try:
        with tempfile.TemporaryFile(dir=folder):  # permissions alone do not tell
            return []
    except OSError as error:
        return [_no_place(name, folder, error.strerror or str(error))]


def _no_place(name: str, place: Path, problem: str) -> CheckMessage:
    hint = f"Give {place} to the user that the server runs as, or set {name} to another place."
    return Error(f"{name}: {place} cannot be written ({problem}).", hint=hint, id="clawsite.E011")


def message_sizes(**kwargs: Any) -> list[CheckMessage]:
    """E008: what no frame can hold is never received."""
    if settings.CLAW_MAX_MESSAGE_BYTES <= settings.CLAW_TRANSPORT_MAX_BYTES:
        return []
    problem = "CLAW_MAX_MESSAGE_BYTES is more than CLAW_TRANSPORT_MAX_BYTES."
    hint = "Raise CLAW_TRANSPORT_MAX_BYTES, which bounds frames and bodies of every kind."
    return [Error(problem, hint=hint, id="clawsite.E008")]


def mcp_programs(**kwargs: Any) -> list[CheckMessage]:
    """E012: a list that cannot be read offers no program, and agents lose their tools."""
    try:
        programs()
    except ImproperlyConfigured as error:
        hint = "It is a JSON object, from names to objects with command, args, env and cwd."
        return [Error(str(error), hint=hint, id="clawsite.E012")]
    return []


def unknown_settings(**kwargs: Any) -> list[CheckMessage]:
    """W002: a misspelt setting has no effect, and nothing else would say so."""
    found: list[CheckMessage] = []
    for name, meant in settings.CLAW_UNKNOWN_SETTINGS.items():
        hint = f"Perhaps {meant} is meant." if meant else "docs/settings.md has every setting."
        found.append(Warning(f"There is no setting {name}.", hint=hint, id="clawsite.W002"))
    return found
