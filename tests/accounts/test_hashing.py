"""`accounts.hashing`: passwords are hashed one at a time, and nobody waits without a bound."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.hashers import check_password, identify_hasher, make_password

from accounts import hashing
from engine.errors import Unavailable

OURS = "accounts.hashing.SerialArgon2PasswordHasher"


@pytest.fixture(autouse=True)
def ours(settings):
    settings.PASSWORD_HASHERS = [OURS]


def test_it_works():
    stored = make_password("a long passphrase")
    assert stored.startswith("argon2$")
    assert check_password("a long passphrase", stored)
    assert not check_password("another", stored)
    assert isinstance(identify_hasher(stored), hashing.SerialArgon2PasswordHasher)


def test_what_django_has_hashed_is_understood(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    stored = make_password("a long passphrase")
    settings.PASSWORD_HASHERS = [OURS]
    assert check_password("a long passphrase", stored)


def test_never_two_at_once(monkeypatch):
    inside, most = [], []

    def slowly(*args):
        inside.append(1)
        most.append(len(inside))
        waiting.wait(0.02)
        inside.pop()
        return b"$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA"

    waiting = threading.Event()
    monkeypatch.setattr(hashing.Argon2PasswordHasher, "encode", slowly)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: hashing.SerialArgon2PasswordHasher().encode("x", "y"), range(8)))
    assert most == [1] * 8


def test_who_comes_when_too_many_wait_is_refused_at_once_and_places_are_given_back():
    places = [hashing._places.acquire(blocking=False) for _ in range(1 + hashing.MAX_WAITING)]
    assert all(places)
    try:
        with pytest.raises(Unavailable):
            make_password("x")
    finally:
        for _ in places:
            hashing._places.release()
    assert make_password("x")


def test_a_wait_has_an_end(monkeypatch):
    monkeypatch.setattr(hashing, "MAX_WAIT_SECONDS", 0.01)
    with hashing._turn, pytest.raises(Unavailable):
        make_password("x")
    assert make_password("x")


def test_a_hash_that_fails_gives_its_turn_back():
    with pytest.raises(AttributeError):
        hashing.SerialArgon2PasswordHasher().encode(None, "salt")
    assert make_password("x")
