"""The addresses of agents: those that we print, in the path form (not every resolver knows
`<slug>.localhost`), and the host that each agent has to itself."""

from django.conf import settings


def site_url() -> str:
    """This installation, as seen from the machine it runs on."""
    return f"http://127.0.0.1:{settings.PORT}"


def api_url(slug: str) -> str:
    """Where the REST and SSE routes of this agent begin."""
    return f"{site_url()}/a/{slug}/api"


def ws_url(slug: str) -> str:
    """The WebSocket of this agent."""
    return f"ws://127.0.0.1:{settings.PORT}/a/{slug}/api/ws"


def page_url(slug: str) -> str:
    """The public page of this agent, if it has one; browsers know `*.localhost`."""
    return f"http://{slug}.{settings.CLAW_AGENT_DOMAIN}:{settings.PORT}/"


def host_slug(host: str) -> str | None:
    """`my-agent` for `my-agent.<CLAW_AGENT_DOMAIN>[:port]`, None for any other host."""
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    label, dot, domain = name.lower().rstrip(".").partition(".")
    return label if dot and label and domain == settings.CLAW_AGENT_DOMAIN else None
