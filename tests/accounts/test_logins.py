"""`accounts.logins`: the brake of every login form, for networks and for accounts (P23)."""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from accounts.logins import attempt
from accounts.models import LoginAttempts, User
from engine.errors import ClawError


@pytest.fixture(autouse=True)
def database(transactional_db):
    """Every attempt counts in it."""


def fail(email: str = "ada@example.com", address: str = "192.0.2.1") -> bool:
    """A wrong password; whether it was looked at."""
    tried = False
    try:
        with attempt(email, address):
            tried = True
            raise PermissionError
    except PermissionError:
        return True
    except ClawError as error:
        assert (error.code, error.retry_after) == ("rate_limited", 60_000)
        assert not tried
        return False


def succeed(email: str = "ada@example.com", address: str = "192.0.2.1") -> None:
    with attempt(email, address):
        pass


def later(**duration: int) -> None:
    """That much time passes."""
    for row in LoginAttempts.objects.all():
        row.began_at -= timedelta(**duration)
        row.save()


def test_it_works():
    assert [fail() for _ in range(11)] == [True] * 10 + [False]
    with pytest.raises(ClawError):
        succeed()


def test_after_a_minute_everything_is_as_before():
    assert [fail() for _ in range(11)][-1] is False
    later(seconds=61)
    assert fail()
    assert LoginAttempts.objects.count() == 3


def test_one_network_counts_for_all_accounts():
    assert [fail(f"{n}@example.com") for n in range(11)] == [True] * 10 + [False]


@pytest.mark.parametrize("form", ["2001:db8::{}", "2001:db8::{:x}:1", "2001:DB8:0:0:{}::"])
def test_an_ipv6_network_is_one(form):
    addresses = [form.format(n + 1) for n in range(11)]
    assert [fail(address=address) for address in addresses] == [True] * 10 + [False]


def test_one_account_counts_for_all_networks_however_it_is_written():
    names = ["ada@example.com", "Ada@Example.com"]
    tried = [fail(names[n % 2], f"192.0.2.{n}") for n in range(12)]
    assert tried == [True] * 10 + [False] * 2
    assert fail("bob@example.com", "192.0.2.99"), "other accounts are not concerned"


def test_nobody_alone_keeps_an_owner_out():
    assert [fail(address="192.0.2.66") for _ in range(30)].count(True) == 10
    succeed(address="192.0.2.1")


def test_who_comes_in_is_not_counted():
    for _ in range(30):
        succeed()
    for _ in range(9):
        assert fail()
    succeed()
    assert fail()
    assert not fail()


def test_a_refused_attempt_counts_nowhere():
    for n in range(10):
        fail(address=f"192.0.2.{n}")
    for _ in range(20):
        assert not fail(address="192.0.2.77")
    assert fail("bob@example.com", "192.0.2.77")


def test_names_of_different_kinds_never_collide():
    for _ in range(10):
        fail("192.0.2.9", "198.51.100.1")
    assert fail("x", "192.0.2.9")


def test_parallel_logins_of_many_people_behind_one_address_all_succeed():
    def log_in(n: int) -> None:
        try:
            succeed(f"{n}@example.com")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(log_in, range(16)))


def test_parallel_attempts_are_no_way_around_it():
    def attempt_once(n: int) -> bool:
        try:
            return fail()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as threads:
        tried = list(threads.map(attempt_once, range(24)))
    assert tried.count(True) == 10


def test_what_is_counted_does_not_grow_for_ever():
    for n in range(40):
        fail(f"{n}@example.com", f"192.0.2.{n}")
        later(seconds=30)
    assert LoginAttempts.objects.count() <= 3 * 3


def test_failures_are_logged_with_the_address_and_without_what_was_typed(caplog):
    known = User.objects.create_user("ada@example.com", None)
    with caplog.at_level(logging.WARNING, "accounts.logins"):
        fail(address="192.0.2.5")
        fail("my password by mistake", "192.0.2.5")
        succeed(address="192.0.2.6")
    assert caplog.messages == [
        f"failed login to {known.id} from 192.0.2.5",
        "failed login to an unknown account from 192.0.2.5",
    ]
    caplog.clear()
    for _ in range(10):
        fail(address="192.0.2.5")
    assert "login refused after too many failures, from 192.0.2.5" in caplog.messages


def test_it_begins_with_the_first_failure():
    fail()
    assert all(
        row.began_at > timezone.now() - timedelta(seconds=5) for row in LoginAttempts.objects.all()
    )
