"""`conversations.transports.http` and `identify`: which credential a request brings."""

import pytest
from django.conf import settings as django_settings
from django.http import HttpRequest
from django.test import RequestFactory

from agents.auth.members import Session
from conversations.transports.http import require_credential
from conversations.transports.identify import credential_of
from engine.errors import ClawError


@pytest.fixture(autouse=True)
def hosts(settings) -> None:
    settings.ALLOWED_HOSTS = ["*"]


def request(method: str = "GET", cookie: str | None = None, **headers: str) -> HttpRequest:
    made = RequestFactory().generic(method, "/api/agents", headers={"host": "claw.test", **headers})
    if cookie is not None:
        made.COOKIES[django_settings.SESSION_COOKIE_NAME] = cookie
    return made


def test_it_works() -> None:
    assert credential_of(request(authorization="Bearer a.b.c")) == "a.b.c"
    asked = request(cookie="s", **{"x-claw-organization": "acme", "sec-fetch-site": "same-origin"})
    assert credential_of(asked) == Session(
        key="s", organization="acme", safe=True, fetch_site="same-origin"
    )


def test_a_token_comes_before_a_session() -> None:
    assert credential_of(request(cookie="s", authorization="Bearer x")) == "x"


def test_only_some_methods_are_safe() -> None:
    for method, safe in (("GET", True), ("HEAD", True), ("POST", False), ("DELETE", False)):
        assert credential_of(request(method, cookie="s")).safe is safe


def test_a_session_counts_on_the_console_s_host_only() -> None:
    assert credential_of(request(cookie="s", host="helper.localhost:8000")) is None


@pytest.mark.parametrize("cookie", [None, ""])
def test_without_a_credential_nothing_is_read(cookie: str | None) -> None:
    with pytest.raises(ClawError) as raised:
        require_credential(request(cookie=cookie))
    assert raised.value.code == "auth_required"
