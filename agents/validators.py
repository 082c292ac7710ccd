"""What the fields of agents and keys may hold."""

import re
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator

from agents.origins import is_origin, is_pattern

# A slug is a DNS label, because the agent answers at <slug>.<CLAW_AGENT_DOMAIN>.
validate_dns_label = RegexValidator(
    r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z",
    "Use up to 63 lower-case letters, digits and hyphens; no hyphen at either end.",
)

RESERVED_SLUGS = frozenset(
    {
        *("a", "admin", "agents", "api", "app", "assets", "auth", "blog", "cdn", "chat", "claw"),
        *("console", "docs", "ftp", "healthz", "help", "imap", "localhost", "login", "mail"),
        *("metrics", "ns1", "ns2", "pop", "readyz", "root", "smtp", "static", "status", "support"),
        *("webmail", "ws", "www"),
    }
)

SCOPES = (
    "chat",
    "conversations:read",
    "conversations:write",
    "agents:read",
    "agents:write",
    "keys:write",
    "usage:read",
    "admin",
)
DEFAULT_SCOPES = SCOPES[:3]

# What the agent's own fields say, or the run itself; `parameters` must not contradict them.
RESERVED_PARAMETERS = frozenset(
    {"max_tokens", "messages", "model", "stream", "system", "thinking", "tool_choice", "tools"}
    | {"max_completion_tokens", "n", "stream_options"}
)


MOST_PROMPTS, PROMPT_LENGTH = 10, 200  # what fits beside an input field


# Ids and slugs, and nothing that a database could stumble over (NUL, lone surrogates).
_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}")


def is_name(text: str) -> bool:
    """Whether an agent may have this id or slug."""
    return _NAME.fullmatch(text) is not None


def validate_not_reserved(slug: str) -> None:
    """Names that this installation, or a mail or web server beside it, needs for itself."""
    if slug in RESERVED_SLUGS or slug.startswith("xn--"):
        raise ValidationError(f"“{slug}” is reserved, choose another.")


def validate_base_url(url: str) -> None:
    """The address of a model server, also by a name without dots such as `ollama`. Whether we
    connect to it is decided when we do (`engine.net`)."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a port or an IPv6 address that is none
        usable = False
    if not usable or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValidationError("Give an address such as https://models.example.com/v1.")


def validate_scopes(scopes: Any) -> None:
    """At least one scope, each of them known."""
    if not isinstance(scopes, list) or not scopes:
        raise ValidationError("Name at least one scope.")
    if unknown := [scope for scope in scopes if scope not in SCOPES]:
        raise ValidationError(
            f"Unknown scope {', '.join(map(str, unknown))}; there are: {', '.join(SCOPES)}."
        )


def validate_origins(origins: Any) -> None:
    """Exact web origins, scheme and host and port, as browsers send them."""
    if not isinstance(origins, list) or not all(map(is_origin, origins)):
        raise ValidationError(
            'Give a list of origins such as "https://example.com": no path, no wildcard.'
        )


def validate_origin_patterns(origins: Any) -> None:
    """Web origins, or all subdomains of one."""
    if not isinstance(origins, list) or not all(map(is_pattern, origins)):
        raise ValidationError(
            'Give a list of origins such as "https://example.com" or "https://*.example.com", in'
            " lower case (xn-- for other letters): no path, no port that the scheme has anyway."
        )


def validate_prompts(prompts: Any) -> None:
    """A few short lines of text."""
    if not isinstance(prompts, list) or len(prompts) > MOST_PROMPTS:
        raise ValidationError(f"Give a list of at most {MOST_PROMPTS} texts.")
    if not all(
        isinstance(text, str) and 0 < len(text.strip()) <= PROMPT_LENGTH for text in prompts
    ):
        raise ValidationError(f"Each text has at most {PROMPT_LENGTH} characters.")


def validate_parameters(parameters: Any) -> None:
    """An object of further provider parameters, apart from those that have a field."""
    if not isinstance(parameters, dict):
        raise ValidationError('Give an object such as {"temperature": 0.2}.')
    if reserved := sorted(RESERVED_PARAMETERS & parameters.keys()):
        raise ValidationError(f"Not a parameter here: {', '.join(reserved)}.")
