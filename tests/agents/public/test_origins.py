"""`agents.public.origins`: from which pages an agent may be asked (P26)."""

import pytest
from django.core.exceptions import ValidationError

from agents.public.origins import is_origin, is_pattern, matches
from agents.validators import validate_origin_patterns

EXACT, WILD = "https://shop.example", "https://*.example.com"


def test_it_works():
    assert matches(EXACT, [EXACT])
    for host in ("a.example.com", "a.b.example.com", "xn--bcher-kva.example.com"):
        assert matches(f"https://{host}", [EXACT, WILD])


@pytest.mark.parametrize(
    "origin",
    [
        *("http://shop.example", "https://shop.example:443", "https://shop.example:8443"),
        *("https://shop.example.", "https://shop.example/", "https://SHOP.example", "null", ""),
        *("https://shop.example.evil.io", "https://evilshop.example", "https://a.shop.example"),
        *("https://shop.example@evil.io", "https://evil.io#shop.example", "shop.example"),
        *("https://shop.exampl\u0435", "https://shop.example\n", " https://shop.example", "*"),
    ],
)
def test_p26_an_exact_origin_is_exact(origin):
    assert not matches(origin, [EXACT])


@pytest.mark.parametrize(
    "origin",
    [
        *("https://example.com", "https://evilexample.com", "http://a.example.com"),
        *("https://a.example.com:8443", "https://a.example.com.evil.io", "https://.example.com"),
        *("https://a..example.com", "https://*.example.com", "https://a.example.com."),
        *("https://evil.io/.example.com", "https://evil.io?.example.com", "https://A.example.com"),
        *("https://evil.io\\.example.com", "https://b\u00fccher.example.com", "null", ""),
        *("https://evil.io:80.example.com", "https://user@a.example.com", "https://-.example.com"),
    ],
)
def test_p26_a_wildcard_is_for_real_subdomains_only(origin):
    assert not matches(origin, [WILD])


def test_a_wildcard_has_a_port_of_its_own():
    assert matches("http://a.localhost:3000", ["http://*.localhost:3000"])
    assert not matches("http://a.localhost:3001", ["http://*.localhost:3000"])
    assert not matches("http://a.localhost", ["http://*.localhost:3000"])


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_every_port_of_this_machine(host):
    pattern = f"http://{host}:*"
    assert is_pattern(pattern) and not is_origin(pattern)
    for origin in (f"http://{host}", f"http://{host}:3000", f"http://{host}:65535"):
        assert matches(origin, [pattern])
    for origin in (
        *(f"https://{host}:3000", f"http://{host}.evil.io", f"http://{host}:3000.evil.io"),
        *(f"http://{host}:*", f"http://a.{host}:3000", f"http://{host}:", f"http://{host}:1@e.io"),
        *(f"http://{host}:99999", "http://127.0.0.2:3000", "null", ""),
    ):
        assert not matches(origin, [pattern])


@pytest.mark.parametrize(
    "pattern",
    [
        *("http://shop.example:*", "http://*:*", "http://*.localhost:*", "http://127.0.0.2:*"),
        *("http://localhost:*/", "http://localhost:**", "localhost:*", "ws://localhost:*"),
        *("*", "https://*", "https://*.com", "https://*.*.example.com", "https://a*.example.com"),
        *("*.example.com", "https://example.com/", "https://example.com:443", "http://a.io:80"),
        *("https://EXAMPLE.com", "https://b\u00fccher.de", "null", "", 5, None, ["https://a.io"]),
        *("https://example.com.", "https://example..com", "ftp://example.com", "https://a.io:0"),
        *("https://a.io:65536", "https://*.example.com:443", "https://a.io\n", "a" * 400),
    ],
)
def test_what_would_never_match_or_match_too_much_is_refused(pattern):
    assert not is_pattern(pattern)
    with pytest.raises(ValidationError):
        validate_origin_patterns([pattern])


def test_patterns_are_a_list():
    validate_origin_patterns([EXACT, WILD, "http://localhost:3000", "http://[::1]:3000"])
    for wrong in (EXACT, {EXACT: 1}, None):
        with pytest.raises(ValidationError):
            validate_origin_patterns(wrong)


def test_a_wildcard_is_no_origin():
    assert is_origin(EXACT) and not is_origin(WILD)
