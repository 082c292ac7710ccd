"""`agents.validators`: what the fields of agents and keys may hold."""

import pytest
from django.core.exceptions import ValidationError

from agents import validators


def test_it_works():
    for slug in ("a1", "my-agent", "0", "a" * 63):
        validators.validate_dns_label(slug)
        validators.validate_not_reserved(slug)


@pytest.mark.parametrize("slug", ["", "-a", "a-", "A", "a_b", "a.b", "a b", "a" * 64, "a\n", "é"])
def test_a_slug_is_a_dns_label(slug):
    with pytest.raises(ValidationError):
        validators.validate_dns_label(slug)


@pytest.mark.parametrize("slug", ["www", "api", "admin", "console", "static", "xn--bcher-kva"])
def test_names_that_the_installation_needs_are_reserved(slug):
    with pytest.raises(ValidationError):
        validators.validate_not_reserved(slug)


@pytest.mark.parametrize("scopes", [[], "chat", ["chat", "root"], [1], None, [["chat"]]])
def test_scopes_are_known(scopes):
    validators.validate_scopes(list(validators.SCOPES))
    with pytest.raises(ValidationError):
        validators.validate_scopes(scopes)


def test_an_origin_is_exact():
    validators.validate_origins(["https://example.com", "http://localhost:3000", "http://[::1]:8"])


@pytest.mark.parametrize(
    "origin",
    [
        *("*", "null", "example.com", "https://", "https://example.com/", "https://example.com/a"),
        *("https://*.example.com", "https://EXAMPLE.com", "https://a.com:99999", "ftp://a.com"),
        *("https://user@example.com", "https://[::1", "https://:443", "https://a.com:x", 5),
    ],
)
def test_nothing_else_is_an_origin(origin):
    with pytest.raises(ValidationError):
        validators.validate_origins([origin])


def test_origins_are_a_list():
    with pytest.raises(ValidationError):
        validators.validate_origins("https://example.com")


def test_parameters_are_an_object():
    validators.validate_parameters({"temperature": 0.2})
    with pytest.raises(ValidationError):
        validators.validate_parameters(["temperature"])


@pytest.mark.parametrize("name", ["model", "system", "messages", "tools", "stream", "max_tokens"])
def test_parameters_do_not_contradict_the_fields(name):
    with pytest.raises(ValidationError):
        validators.validate_parameters({name: "x"})
