"""Web origins (https://www.rfc-editor.org/rfc/rfc6454): from which pages an agent may be asked.

An origin is compared as browsers send it, letter by letter: scheme, host and port, in lower case,
an international name in its `xn--` form, without the scheme's own port."""

import re
from collections.abc import Iterable

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = rf"{_LABEL}(?:\.{_LABEL})*"
_PORT = r"(?::([1-9][0-9]{0,4}))?"
_EXACT = re.compile(rf"(https?)://(?:{_HOST}|\[[0-9a-f:]+\]){_PORT}")
# Below a name of two labels at least, or `https://*.com` would be half of the internet.
_WILDCARD = re.compile(rf"(https?)://\*\.(?:localhost|{_LABEL}(?:\.{_LABEL})+){_PORT}")
# Any port, on the developer's own machine only: elsewhere another port may be somebody else.
_ANY_PORT = re.compile(r"https?://(?:localhost|127\.0\.0\.1|\[::1\]):\*")
_DEFAULT_PORT = {"http": "80", "https": "443"}


def is_origin(text: object) -> bool:
    """Whether a browser may send this as `Origin`; `null` is none."""
    return _fits(_EXACT, text)


def is_pattern(text: object) -> bool:
    """Whether this is an origin, all subdomains of one (`https://*.example.com`), or every port of
    this machine (`http://localhost:*`)."""
    return _fits(_EXACT, text) or _fits(_WILDCARD, text) or _is_any_port(text)


def matches(origin: str, patterns: Iterable[str]) -> bool:
    """Whether one of the patterns means this origin. A wildcard stands for one label or more, one
    in the place of a port for any port."""
    if not is_origin(origin):
        return False
    return any(
        origin == pattern or _is_below(origin, pattern) or _is_port_of(origin, pattern)
        for pattern in patterns
    )


def _fits(form: re.Pattern[str], text: object) -> bool:
    found = form.fullmatch(text) if isinstance(text, str) and len(text) <= 300 else None
    if found is None:
        return False
    scheme, port = found[1], found[2]
    return port is None or (int(port) < 65536 and port != _DEFAULT_PORT[scheme])


def _is_below(origin: str, pattern: str) -> bool:
    scheme, wildcard, rest = pattern.partition("://*.")
    host = origin.removeprefix(f"{scheme}://")
    return bool(wildcard) and host != origin and host.endswith(f".{rest}")


def _is_any_port(text: object) -> bool:
    return isinstance(text, str) and _ANY_PORT.fullmatch(text) is not None


def _is_port_of(origin: str, pattern: str) -> bool:
    host = pattern.removesuffix(":*")
    return host != pattern and (origin == host or origin.startswith(f"{host}:"))
