"""The model providers that an agent can name; each is imported when it is first used."""

from collections.abc import Callable
from importlib import import_module
from typing import cast

from engine.net import Guard
from engine.providers.base import Provider

PROVIDERS = {
    "anthropic": "engine.providers.anthropic:AnthropicProvider",
    "openai": "engine.providers.openai:OpenAIProvider",
    "demo": "engine.providers.demo:DemoProvider",
}


def open_provider(
    name: str,
    *,
    api_key: str | None = None,
    base_url: str | None = None,
    guard: Guard | None = None,
) -> Provider:
    """A provider for one account; close it with `aclose()`.

    `base_url` None is the provider's own address. `guard` checks every connection and must be given
    where a tenant chose the address; None means that the operator did. Raises `KeyError` for a name
    that is not in `PROVIDERS`, and `ClawError` for an address that the guard refuses."""
    module, _, factory = PROVIDERS[name].partition(":")
    make = cast(Callable[..., Provider], getattr(import_module(module), factory))
    return make(api_key=api_key, base_url=base_url, guard=guard)
