"""The model server of an agent's run, and the key for it: chosen anew for each run.

The operator's key goes to the operator's own base URL only, and only for organisations that the
operator enabled; an address that a tenant set gets that tenant's own key or nothing. Servers of
OpenAI's API may want no key at all (Ollama, say)."""

from dataclasses import dataclass, field, replace

from django.conf import settings

from accounts.access import secret_value
from agents.config import AgentConfig
from agents.models import AUTO
from agents.public import visited
from core.database import database_step
from engine.errors import ClawError
from engine.providers.registry import PROVIDERS


@dataclass(frozen=True, kw_only=True)
class ProviderAccess:
    """A model, the server that has it and the key that opens it.

    `api_key` is empty for a server that wants none, `base_url` None for the API's own address.
    `guarded`: the address is a tenant's choice, so connect through `engine.http.guard` only."""

    provider: str
    model: str
    api_key: str | None = field(default=None, repr=False)
    base_url: str | None = None
    guarded: bool = False


DEMO = ProviderAccess(provider="demo", model="demo")


async def at_present(config: AgentConfig) -> AgentConfig:
    """The agent of a run that begins now. All is fixed when a run is accepted, but for who pays:
    the operator may have withdrawn that meanwhile. Costs a database step every few seconds."""
    if not config.platform_credentials or PROVIDERS[_named(config)].local:
        return config
    agent = await visited.find({config.id})
    return replace(
        config, platform_credentials=agent is not None and agent.config.platform_credentials
    )


async def provider_access(config: AgentConfig) -> ProviderAccess:
    """The credentials and the address that a run of this agent uses now. Raises `upstream_error`
    where it has no credentials."""
    provider = _named(config)
    registered = PROVIDERS[provider]
    if registered.local:
        return ProviderAccess(provider=provider, model=registered.default_model)
    api_key = await _api_key(config)
    if api_key is not None:
        return ProviderAccess(
            provider=provider,
            model=_model(config),
            api_key=api_key,
            base_url=base_url(config),
            guarded=bool(config.base_url),
        )
    if config.provider == AUTO and not config.base_url:  # an agent that names a server means it
        return DEMO
    raise ClawError("upstream_error", "This agent has no model credentials.")


def base_url(config: AgentConfig) -> str | None:
    """The address of the agent's model server, or None for the API's own.

    The operator's server may take no key, so it is open only to organisations that the operator
    has enabled, whatever credential they name."""
    if config.base_url:
        return config.base_url
    provider = _named(config)
    if PROVIDERS[provider].keyless and not config.platform_credentials:
        return None
    return _of_operator(provider, "BASE_URL")


async def _api_key(config: AgentConfig) -> str | None:
    """The key to send, or None where the agent has no access."""
    provider = _named(config)
    keyless = PROVIDERS[provider].keyless
    if config.credential_id:
        own = await database_step(secret_value, config.organization_id, config.credential_id)
        return own or None
    if config.base_url:
        return "" if keyless else None
    if not config.platform_credentials:
        return None
    unopened = "" if keyless and _of_operator(provider, "BASE_URL") else None
    return _of_operator(provider, "API_KEY") or unopened


def _named(config: AgentConfig) -> str:
    if config.provider != AUTO:
        return config.provider
    return "openai" if _by_default(config) else "anthropic"


def _model(config: AgentConfig) -> str:
    if config.provider == AUTO and _by_default(config):
        return str(settings.OPENAI_MODEL)
    return config.model or PROVIDERS[_named(config)].default_model


def _by_default(config: AgentConfig) -> bool:
    """Whether an agent that chooses nothing itself answers with the operator's OPENAI_MODEL."""
    own = config.credential_id or config.base_url
    offered = settings.OPENAI_MODEL and not settings.ANTHROPIC_API_KEY
    return bool(offered and config.platform_credentials and not own)


def _of_operator(provider: str, what: str) -> str | None:
    """The operator's setting for a provider: its key, or the address of its server."""
    return getattr(settings, f"{provider.upper()}_{what}", None) or None
