"""The model providers that an agent can name; each is imported when it is first used."""

from collections.abc import Callable
from importlib import import_module
from typing import cast

from engine.http.guard import Guard
from engine.providers.base import Provider

PROVIDERS = {
    "anthropic": "engine.providers.anthropic.provider:AnthropicProvider",
    "openai": "engine.providers.openai.provider:OpenAIProvider",
    "demo": "engine.providers.demo.provider:DemoProvider",
}
BY_SDK = {"anthropic": "engine.providers.anthropic.sdk:AnthropicSdkProvider"}
"""The same over the SDK of the model's maker, for operators who want that."""


def provider_factory(name: str, *, sdk: bool = False) -> Callable[..., Provider]:
    """The class of a provider. The import of an SDK takes a second, that of the others nothing.

    Raises `KeyError` for a name that is not in `PROVIDERS`."""
    module, _, factory = (BY_SDK if sdk and name in BY_SDK else PROVIDERS)[name].partition(":")
    return cast(Callable[..., Provider], getattr(import_module(module), factory))


def open_provider(
    name: str,
    *,
    api_key: str | None = None,
    base_url: str | None = None,
    guard: Guard | None = None,
    sdk: bool = False,
) -> Provider:
    """A provider for one account; close it with `aclose()`.

    `base_url` None is the provider's own address. `guard` checks every connection and must be given
    where a tenant chose the address; None means that the operator did. `sdk`: over an SDK where
    there is one. Raises `KeyError` for a name that is not in `PROVIDERS`, and `ClawError` for an
    address that the guard refuses."""
    make = provider_factory(name, sdk=sdk)
    return make(api_key=api_key, base_url=base_url, guard=guard)
