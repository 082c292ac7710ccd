"""The brake and the trace of every form where somebody logs in with a password.

At most `CLAW_FAILED_AUTH_PER_MINUTE` failures in a minute from one network and for one account.
Sessions that are open notice nothing."""

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts import access, hashing
from core.networks import network_of
from engine.errors import ClawError

log = logging.getLogger(__name__)

WINDOW = timedelta(minutes=1)


@contextmanager
def attempt(email: str, address: str) -> Iterator[None]:
    """One try to log in as `email` from this network address: whatever is raised inside is a
    failure, and is logged with the address.

    Attempts of a process come one after the other, so those that are still under way refuse nobody.
    Raises `rate_limited` before anything is tried, `Unavailable` where too many wait."""
    names = Names.of(email.lower(), network_of(address))
    try:
        _refuse_if_full(names)  # without a place in the line
        with hashing.turn():
            counted = _count(names)
            try:
                yield
            except Exception:  # whatever it was, it opened nothing
                who = access.user_id_of(email) or "an unknown account"
                log.warning("failed login to %s from %s", who, address)
                raise
            access.forget_attempt(counted)
    except TooManyFailures:
        log.warning("login refused after too many failures, from %s", address)
        raise


class TooManyFailures(ClawError):
    """`rate_limited`: the password was not looked at."""

    def __init__(self) -> None:
        wait = int(WINDOW.total_seconds())
        text = f"Too many failed logins. Try again in {wait} seconds."
        super().__init__("rate_limited", text, retry_after=wait * 1000)


@dataclass(frozen=True)
class Names:
    """The names that an attempt is counted under."""

    network: str
    account: str
    both: str

    @classmethod
    def of(cls, email: str, network: str) -> Self:
        """Digests: of one length for the database, and never the same for two kinds."""
        return cls(_name("network", network), _name("account", email), _name(network, email))


def _refuse_if_full(names: Names) -> None:
    access.forget_attempts(until=timezone.now() - WINDOW)
    counts = access.attempts((names.network, names.account))
    if any(count >= settings.CLAW_FAILED_AUTH_PER_MINUTE for count in counts):
        raise TooManyFailures


def _count(names: Names) -> tuple[str, ...]:
    """Count one attempt, before its password is looked at: other processes count as well. Returns
    the names under which it was counted."""
    most = settings.CLAW_FAILED_AUTH_PER_MINUTE
    with transaction.atomic():  # a refused attempt is counted nowhere
        _admit(names.network, most)
        # One network uses up no more than half of an account's attempts, so nobody alone keeps its
        # owner from logging in elsewhere.
        if not access.count_attempt(names.both, at_most=(most + 1) // 2):
            return (names.network,)
        _admit(names.account, most)
        return (names.network, names.both, names.account)


def _admit(name: str, at_most: int) -> None:
    if not access.count_attempt(name, at_most=at_most):
        raise TooManyFailures


def _name(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
