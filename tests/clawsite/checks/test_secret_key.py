"""`clawsite.checks.secret_key`: outside of development no key may be easy to guess."""

import secrets

import pytest

from clawsite.checks.secret_key import weak_secret_key, weakness


@pytest.fixture(autouse=True)
def production(settings):
    settings.DEBUG = False


@pytest.mark.parametrize(
    "key",
    [
        "",
        "short",
        "kq3vZr9wT1xYb7LmN5cD2a",
        "x" * 50,
        "abc" * 20,
        "0123456789abcdef" * 4,
        "".join(map(chr, range(40, 100))),
        "development-only-secret-key-never-use-it-in-production",
        "django-insecure-vK3mW9qT7rZx1yB5nL2cD8fG4hJ6pS0aQeUoIiRtYwEz",
        "please-change-me-" + "1q2w3e4r5t6z7u8i9o0p",
        " " * 60,
    ],
)
def test_a_key_that_can_be_guessed_is_weak(key: str) -> None:
    assert weakness(key)


@pytest.mark.parametrize("make", [secrets.token_urlsafe, secrets.token_hex, secrets.token_bytes])
def test_a_random_one_is_not(make) -> None:
    for _ in range(200):
        key = make(50) if make is not secrets.token_bytes else make(50).hex()
        assert not weakness(key), key


def test_it_is_an_error(settings):
    settings.SECRET_KEY_FALLBACKS = []
    assert weak_secret_key() == []

    settings.SECRET_KEY = "x" * 50
    settings.SECRET_KEY_FALLBACKS = ["old"]
    assert [found.id for found in weak_secret_key()] == ["clawsite.E010"] * 2

    settings.DEBUG = True
    assert weak_secret_key() == []


def test_that_there_is_none_is_for_another_check(settings):
    settings.SECRET_KEY = ""
    assert weak_secret_key() == []
