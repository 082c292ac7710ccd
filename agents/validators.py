"""Rules for the fields of agents and keys."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import msgspec
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import RegexValidator

from agents.outbound.programs import programs
from agents.public.origins import is_origin, is_pattern
from engine.events import ASK_USER
from engine.http.guard import UNSAFE
from engine.tools.base import Policy, policy_of
from engine.tools.mcp.names import Wanted, model_names, safe
from engine.tools.mcp.toolbox import EVERY
from engine.tools.registry import BUILTINS, ELSEWHERE
from wire.objects.widget import MAX_BYTES, WidgetSettings
from wire.parse import field_of, problem_of

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
    "runs:approve",
    "monitor:read",
    "monitor:write",
    "pipelines:read",
    "pipelines:write",
    "admin",
)
DEFAULT_SCOPES = SCOPES[:3]

# What the agent's own fields say, or the run itself; `parameters` must not contradict them.
RESERVED_PARAMETERS = frozenset(
    {"max_tokens", "messages", "model", "stream", "system", "thinking", "tool_choice", "tools"}
    | {"max_completion_tokens", "n", "stream_options"}
)


MAX_PROMPTS, PROMPT_LENGTH = 10, 200  # what fits beside an input field
MAX_TOOL_NAME = 128  # of an MCP server: what the protocol recommends
MAX_TOOLS = 50
"""Tools of one agent. Models choose badly among more, and each is sent with every model call."""


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
    connect to it is decided when we do (`engine.http.guard`)."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a port or an IPv6 address that is none
        usable = False
    if not usable or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValidationError("Give an address such as https://models.example.com/v1.")


def validate_mcp_url(url: str) -> None:
    """The address of an MCP server. Whether we connect to it is decided when we do."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a port or an IPv6 address that is none
        usable = False
    if not usable or parts.fragment or "@" in parts.netloc or UNSAFE.search(url):
        raise ValidationError("Give an address such as https://tools.example.com/mcp.")


def validate_program(name: str) -> None:
    """A program of the operator's list."""
    try:
        known = programs()
    except ImproperlyConfigured:  # a system check says what is wrong with it
        known = {}
    if name not in known:
        raise ValidationError(f"The operator offers no program “{name}”.")


def validate_scopes(scopes: Any) -> None:
    """At least one scope, each of them known."""
    if not isinstance(scopes, list) or not scopes:
        raise ValidationError("Name at least one scope.")
    if unknown := [scope for scope in scopes if scope not in SCOPES]:
        raise ValidationError(
            f"Unknown scope {', '.join(map(str, unknown))}; there are: {', '.join(SCOPES)}."
        )


def scopes_with(named: Iterable[str]) -> frozenset[str]:
    """The scopes of a key for which these are named: `admin` contains all others."""
    return frozenset(SCOPES) if "admin" in (scopes := frozenset(named)) else scopes


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
            ' A port may be "*" on this machine only: "http://localhost:*".'
        )


def validate_prompts(prompts: Any) -> None:
    """A few short lines of text."""
    if not isinstance(prompts, list) or len(prompts) > MAX_PROMPTS:
        raise ValidationError(f"Give a list of at most {MAX_PROMPTS} texts.")
    if not all(
        isinstance(text, str) and 0 < len(text.strip()) <= PROMPT_LENGTH for text in prompts
    ):
        raise ValidationError(f"Each text has at most {PROMPT_LENGTH} characters.")


def validate_widget(widget: Any) -> None:
    """An object of `wire.objects.widget.WidgetSettings`, and no larger than that allows."""
    try:
        settings = msgspec.convert(widget, WidgetSettings)
    except msgspec.ValidationError as error:
        raise ValidationError(f"{field_of(str(error))}: {problem_of(str(error))}") from None
    if len(msgspec.json.encode(settings)) > MAX_BYTES:
        raise ValidationError(f"These settings have more than {MAX_BYTES} bytes.")
    if settings.hours and settings.hours.time_zone not in available_timezones():
        raise ValidationError(
            "hours.timeZone: Give the name of a time zone such as “Europe/Berlin”."
        )


def validate_parameters(parameters: Any) -> None:
    """An object of further provider parameters, apart from those that have a field."""
    if not isinstance(parameters, dict):
        raise ValidationError('Give an object such as {"temperature": 0.2}.')
    if reserved := sorted(RESERVED_PARAMETERS & parameters.keys()):
        raise ValidationError(f"Not a parameter here: {', '.join(reserved)}.")


def validate_client_tools(names: Any) -> None:
    """Names of tools, as model servers take them."""
    if not isinstance(names, list) or len(names) > MAX_TOOLS:
        raise ValidationError(f"Give a list of at most {MAX_TOOLS} names.")
    if not all(isinstance(name, str) and name and name == safe(name) for name in names):
        raise ValidationError("A name has 1 to 64 letters, digits, hyphens and underscores.")


def validate_tools(tools: Any) -> None:
    """A list of built-in tools, tools of MCP servers and other agents, each only once."""
    if not isinstance(tools, list) or len(tools) > MAX_TOOLS:
        raise ValidationError(f"Give a list of at most {MAX_TOOLS} tools.")
    for tool in tools:
        match tool:
            case {"builtin": name}:
                _validate_builtin(tool, name)
            case {"mcpServer": str(), "name": str(name)}:
                _validate_mcp_tool(tool, name)
            case {"agent": str()}:
                _validate_policy(tool, {"agent"})
            case _:
                raise ValidationError(
                    'Give each tool as an object such as {"builtin": "NAME"}, {"agent": "SLUG"} or'
                    ' {"mcpServer": "mcp_...", "name": "NAME"}.'
                )
    for n, tool in enumerate(tools):
        if any(_same(tool, other) for other in tools[:n]):
            name = tool.get("builtin") or tool.get("agent") or tool["name"]
            raise ValidationError(f"The tool “{name}” is named twice.")


def _validate_builtin(tool: dict[str, Any], name: Any) -> None:
    if name not in (known := [*BUILTINS, *ELSEWHERE]):
        raise ValidationError(f"Unknown tool “{name}”; there are: {', '.join(known)}.")
    _validate_policy(tool, {"builtin"})
    if name == ASK_USER and tool.get("approval", "never") != "never":
        raise ValidationError(f"“{name}” does nothing that somebody could approve.")


def _validate_mcp_tool(tool: dict[str, Any], name: str) -> None:
    _validate_policy(tool, {"mcpServer", "name", "rename"})
    if not 0 < len(name) <= MAX_TOOL_NAME:
        raise ValidationError(f"The name of a tool has at most {MAX_TOOL_NAME} characters.")
    rename = tool.get("rename", "tool")
    if not isinstance(rename, str) or rename != safe(rename) or not rename:
        raise ValidationError("“rename” has at most 64 letters, digits, hyphens and underscores.")
    if "rename" in tool and name == EVERY:
        raise ValidationError("Only a tool that is named by itself can be renamed.")


def _validate_policy(tool: dict[str, Any], others: set[str]) -> None:
    """The rule for the approval of a tool, and no fields but that and the `others`."""
    if unknown := sorted(tool.keys() - others - set(Policy.__struct_fields__)):
        raise ValidationError(f"A tool has no field “{unknown[0]}” here.")
    try:
        policy_of(tool)
    except msgspec.ValidationError:
        raise ValidationError(
            'A tool has "approval": "never", "always" or "first", "approvers": "members" or'
            ' "visitor", and "editable": true or false.'
        ) from None


def _same(tool: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two entries name the same tool."""
    return all(tool.get(key) == other.get(key) for key in ("builtin", "agent", "mcpServer", "name"))


def validate_tool_names(tools: list[dict[str, Any]], servers: Mapping[str, str]) -> None:
    """Tools that are named by themselves are called differently. `servers` are the names of the MCP
    servers by their ids."""
    named = [tool for tool in tools if tool.get("name", EVERY) != EVERY]
    wanted = [
        Wanted(servers[tool["mcpServer"]], tool["name"], tool.get("rename")) for tool in named
    ]
    taken = [tool[kind] for tool in tools for kind in ("builtin", "agent") if kind in tool]
    if twice := [name for name, count in Counter(taken).items() if count > 1]:
        raise ValidationError(f"An agent is called like the tool “{twice[0]}”.")
    for tool, name in zip(named, model_names(wanted, taken), strict=True):
        if name is None:
            raise ValidationError(f"Another tool is called like “{tool['name']}”: rename it.")
