"""The model providers that an agent can name: one line each. A provider is imported when it is
first used."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from engine.http.guard import Guard
    from engine.providers.base import Provider


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A provider as agents and operators choose it. `factory` and `sdk` are `module:class`."""

    label: str
    """Its name in forms."""
    factory: str
    sdk: str = ""
    """The same over the SDK of the model's maker, for operators who want that."""
    default_model: str = ""
    """For agents that name no model. Without it each agent must name one."""
    keyless: bool = False
    """Whether some of its servers take no key."""
    local: bool = False
    """Whether it runs in this process: it has no account, no address and no price."""


PROVIDERS = {
    "anthropic": Registered(
        label="Anthropic",
        factory="engine.providers.anthropic.provider:AnthropicProvider",
        sdk="engine.providers.anthropic.sdk:AnthropicSdkProvider",
        default_model="claude-sonnet-5-5",
    ),
    "openai": Registered(
        label="OpenAI, or a server that speaks its API",
        factory="engine.providers.openai.provider:OpenAIProvider",
        keyless=True,
    ),
    "demo": Registered(
        label="Demo",
        factory="engine.providers.demo.provider:DemoProvider",
        default_model="demo",
        local=True,
    ),
}


def provider_factory(name: str, *, sdk: bool = False) -> "Callable[..., Provider]":
    """The class of a provider. The import of an SDK takes a second, that of the others nothing.

    Raises `KeyError` for a name that is not in `PROVIDERS`."""
    registered = PROVIDERS[name]
    module, _, factory = ((sdk and registered.sdk) or registered.factory).partition(":")
    return cast("Callable[..., Provider]", getattr(import_module(module), factory))


def open_provider(
    name: str,
    *,
    api_key: str | None = None,
    base_url: str | None = None,
    guard: "Guard | None" = None,
    sdk: bool = False,
) -> "Provider":
    """A provider for one account; close it with `aclose()`.

    `base_url` None is the provider's own address. `guard` checks every connection and must be given
    where a tenant chose the address; None means that the operator did. `sdk`: over an SDK where
    there is one. Raises `KeyError` for a name that is not in `PROVIDERS`, and `ClawError` for an
    address that the guard refuses."""
    make = provider_factory(name, sdk=sdk)
    return make(api_key=api_key, base_url=base_url, guard=guard)
