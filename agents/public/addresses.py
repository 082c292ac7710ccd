"""The addresses of agents: those that we print, in the path form (not every resolver knows
`<slug>.localhost`), and the host that each agent has to itself."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings

LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")


def site_url() -> str:
    """The address of this installation: `CLAW_PUBLIC_URL` or, without it, one that is answered.

    Host names that are answered but name no single host (`*`, `.example.com`) tell nothing."""
    if settings.CLAW_PUBLIC_URL:
        return str(settings.CLAW_PUBLIC_URL)
    if settings.CLAW_HTTPS:
        return f"https://{next(_named_hosts(), 'localhost')}"
    here = any(host in settings.ALLOWED_HOSTS for host in ("*", "127.0.0.1"))
    host = "127.0.0.1" if here else next(_named_hosts(), "localhost")
    # Before a proxy, visitors do not see the port on which we listen.
    seen = host != "127.0.0.1" and settings.CLAW_TRUSTED_PROXIES
    return f"http://{host}" if seen else f"http://{host}:{settings.PORT}"


def is_local() -> bool:
    """Whether only this machine is meant to reach the installation, by all that is configured."""
    beyond = [host for host in settings.ALLOWED_HOSTS if not _is_local_name(host)]
    here = urlsplit(site_url()).hostname in ("localhost", "127.0.0.1", "::1")
    private = here and not beyond and not settings.CLAW_HTTPS
    return private and settings.CLAW_AGENT_DOMAIN == "localhost"


def api_url(slug: str) -> str:
    """The address under which the REST and SSE routes of this agent begin."""
    return f"{site_url()}/a/{slug}/api"


def ws_url(slug: str) -> str:
    """The WebSocket of this agent."""
    return f"{api_url(slug)}/ws".replace("http", "ws", 1)


def page_url(slug: str) -> str:
    """The public page of this agent, if it has one; browsers know `*.localhost`."""
    site = urlsplit(site_url())
    port = f":{site.port}" if site.port else ""
    return f"{site.scheme}://{slug}.{settings.CLAW_AGENT_DOMAIN}{port}/"


def host_slug(host: str) -> str | None:
    """`my-agent` for `my-agent.<CLAW_AGENT_DOMAIN>[:port]`, None for any other host."""
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    label, dot, domain = name.lower().rstrip(".").partition(".")
    return label if dot and label and domain == settings.CLAW_AGENT_DOMAIN else None


def _named_hosts() -> Iterator[str]:
    """The hosts of the console that `ALLOWED_HOSTS` names in full, in its order."""
    for host in settings.ALLOWED_HOSTS:
        if host[:1] not in ("", ".", "*") and host not in LOCAL_NAMES and host_slug(host) is None:
            yield host


def _is_local_name(host: str) -> bool:
    """A name of this machine, or one without a dot, which no visitor from outside can find."""
    known = host in LOCAL_NAMES or host.endswith(".localhost")
    return known or (host.isascii() and host.replace("-", "").isalnum())
