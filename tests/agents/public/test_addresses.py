"""`agents.public.addresses`: what is printed can be reached."""

from ipaddress import ip_network

import pytest

from agents.public.addresses import api_url, is_local, page_url, site_url, ws_url

DEFAULT_HOSTS = ["localhost", "127.0.0.1", "[::1]", ".localhost"]
PROXY = [ip_network("127.0.0.1")]


@pytest.fixture(autouse=True)
def defaults(settings):
    settings.ALLOWED_HOSTS, settings.PORT = DEFAULT_HOSTS, 8000
    settings.CLAW_PUBLIC_URL, settings.CLAW_HTTPS = "", False
    settings.CLAW_AGENT_DOMAIN, settings.CLAW_TRUSTED_PROXIES = "localhost", []


def test_it_works():
    assert site_url() == "http://127.0.0.1:8000"
    assert api_url("helper") == "http://127.0.0.1:8000/a/helper/api"
    assert ws_url("helper") == "ws://127.0.0.1:8000/a/helper/api/ws"
    assert page_url("helper") == "http://helper.localhost:8000/"
    assert is_local()


def test_the_public_address_comes_before_everything(settings):
    settings.CLAW_PUBLIC_URL, settings.CLAW_HTTPS = "https://example.com", True
    settings.CLAW_AGENT_DOMAIN = "agents.example.com"
    assert api_url("helper") == "https://example.com/a/helper/api"
    assert ws_url("helper") == "wss://example.com/a/helper/api/ws"
    assert page_url("helper") == "https://helper.agents.example.com/"


def test_its_port_is_that_of_the_agents_hosts_too(settings):
    settings.CLAW_PUBLIC_URL = "http://localhost:8080"
    assert page_url("helper") == "http://helper.localhost:8080/"


@pytest.mark.parametrize(
    ("hosts", "https", "proxies", "expected"),
    [
        (["example.com", ".agents.example.com"], True, PROXY, "https://example.com"),
        ([".agents.example.com", "a.agents.example.com", "b.io"], True, [], "https://b.io"),
        ([*DEFAULT_HOSTS, "example.com"], True, [], "https://example.com"),
        (DEFAULT_HOSTS, True, [], "https://localhost"),
        (["example.com"], False, [], "http://example.com:8001"),
        (["example.com"], False, PROXY, "http://example.com"),
        (["127.0.0.1", "example.com"], False, [], "http://127.0.0.1:8001"),
        (["*"], False, PROXY, "http://127.0.0.1:8001"),
        ([".example.com"], False, [], "http://localhost:8001"),
        (["[2001:db8::1]"], False, [], "http://[2001:db8::1]:8001"),
    ],
)
def test_otherwise_it_is_derived(settings, hosts, https, proxies, expected):
    settings.PORT, settings.ALLOWED_HOSTS, settings.CLAW_HTTPS = 8001, hosts, https
    settings.CLAW_AGENT_DOMAIN, settings.CLAW_TRUSTED_PROXIES = "agents.example.com", proxies
    assert site_url() == expected
    assert not is_local()
