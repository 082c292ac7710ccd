"""`conversations.feed.stores.local`: the feed in the database."""

import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connection

from accounts.models import Organization
from conversations.feed.base import Store
from conversations.feed.stores.local import DatabaseStore
from conversations.models import FeedEvent
from core.database import database_step
from tests.conversations.feed.contract import *  # noqa: F403 - the suite
from tests.conversations.feed.events import life, opened


@pytest.fixture
def open_store(acme: Organization, globex: Organization) -> Callable[..., Store]:
    return lambda retention=600: DatabaseStore(retention=retention)


@pytest.fixture
def writing_command(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    database = settings.DATABASES["default"]
    if connection.vendor == "sqlite":
        url = f"sqlite:///{database['NAME']}"
    else:
        url = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**database)
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", os.environ["DJANGO_SETTINGS_MODULE"])
    program = [sys.executable, "-m", "tests.conversations.feed.writing_process"]
    return lambda *names: [*program, *names]


@pytest.fixture
def away() -> Callable[[], AsyncIterator[None]]:
    """Every statement fails."""

    def fail(*_: object) -> None:
        raise OperationalError("the database is away")

    @asynccontextmanager
    async def failing() -> AsyncIterator[None]:
        await database_step(lambda: connection.execute_wrappers.append(fail))
        try:
            yield
        finally:
            await database_step(lambda: connection.execute_wrappers.remove(fail))

    return failing


@pytest.fixture
def count() -> Callable[[str], Awaitable[int]]:
    events = FeedEvent.objects.filter
    return lambda organization_id: database_step(
        lambda: events(organization=organization_id).count()
    )


async def test_an_organisation_that_is_gone_keeps_no_other_from_its_events(
    store: Store, acme: Organization, count: Callable[[str], Awaitable[int]]
) -> None:
    await store.begin(acme.pk)
    await store.append(1, {"org_gone": [opened("run_2")], acme.pk: life("run_1")})
    assert await count(acme.pk) == 3


async def test_a_deleted_organisation_leaves_nothing(
    store: Store, acme: Organization, count: Callable[[str], Awaitable[int]]
) -> None:
    await store.begin(acme.pk)
    await store.append(1, {acme.pk: life("run_1")})
    await database_step(acme.delete)
    assert await count(acme.pk) == 0


async def test_what_nobody_follows_costs_one_statement_for_all(
    store: Store, acme: Organization, globex: Organization
) -> None:
    """And no transaction, which would keep other writers of SQLite waiting."""
    statements: list[str] = []

    def note(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        statements.append(sql)
        return execute(sql, *rest)

    await database_step(lambda: connection.execute_wrappers.append(note))
    try:
        lives = [one for number in range(100) for one in life(f"run_{number}")]
        await store.append(1, {acme.pk: lives, globex.pk: lives})
    finally:
        await database_step(lambda: connection.execute_wrappers.remove(note))
    assert len(statements) == 1
