"""`core.database`: one thread hop for a whole step."""

import asyncio
import sqlite3
import threading

import pytest
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from accounts.models import Organization
from core import database
from core.database import close_database, database_step
from core.tracing import trace
from engine.errors import Unavailable

# A connection that is kept may not be touched by a test without a database.
pytestmark = pytest.mark.usefixtures("transactional_db")


def test_a_serving_process_keeps_no_statements(settings, monkeypatch):
    monkeypatch.setattr(BaseDatabaseWrapper, "queries_limit", 9000)
    settings.DEBUG = True
    database.keep_no_statements()
    fresh = connection.copy()
    try:
        with fresh.cursor() as cursor:
            cursor.execute("SELECT 1")
        assert not fresh.queries_log
    finally:
        fresh.close()


async def test_it_works(acme):
    def rename(name: str) -> int:
        return Organization.objects.filter(id=acme.id).update(name=name)

    assert await database_step(rename, "Acme Ltd") == 1
    assert await database_step(Organization.objects.count) == 1


async def test_all_steps_share_one_thread_which_is_not_the_loop_s():
    threads = {await database_step(threading.get_ident) for _ in range(5)}

    assert len(threads) == 1
    assert threads != {threading.get_ident()}


async def test_a_connection_to_sqlite_is_kept_and_one_from_a_pool_given_back(acme):
    await database_step(Organization.objects.count)

    kept = await database_step(lambda: connection.connection is not None)

    assert kept == (connection.vendor == "sqlite")


async def test_closing_leaves_no_connection_open(acme):
    await database_step(Organization.objects.count)
    await close_database()

    assert await database_step(lambda: connection.connection) is None
    assert await database_step(Organization.objects.count) == 1


@pytest.mark.parametrize("error", [OperationalError("secret host"), InterfaceError("secret host")])
async def test_a_database_that_does_not_answer_is_unavailable_without_internals(error, caplog):
    def fail() -> None:
        raise error

    with pytest.raises(Unavailable) as raised:
        await database_step(fail)

    assert raised.value.retry_after
    assert "secret" not in str(vars(raised.value))
    assert "secret" in caplog.text


@pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite locks as a whole")
async def test_a_locked_database_is_unavailable(acme, caplog):
    other = sqlite3.connect(settings.DATABASES["default"]["NAME"], isolation_level=None)

    def write() -> None:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout=10")
        Organization.objects.create(name="Late")

    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(Unavailable):
            await database_step(write)
    finally:
        other.close()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL takes any number of values")
async def test_a_statement_that_is_too_much_is_no_database_that_is_away(acme):
    def ask() -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {', '.join(['%s'] * 300_000)}", [1] * 300_000)

    with pytest.raises(OperationalError, match="too many"):
        await database_step(ask)


async def test_a_flood_of_one_organisation_delays_only_that_organisation(acme):
    done: list[str] = []
    free = threading.Event()

    async def step(organization: str) -> None:
        trace(organization=organization)
        await database_step(done.append, organization)

    first = asyncio.create_task(database_step(free.wait, 60))
    await asyncio.sleep(0)
    flood = [asyncio.create_task(step("org_a")) for _ in range(50)]
    await asyncio.sleep(0)
    other = asyncio.create_task(step("org_b"))
    await asyncio.sleep(0)
    free.set()
    await asyncio.gather(first, *flood, other)

    assert done.index("org_b") == 1


async def test_a_step_that_has_not_begun_is_not_done_for_a_caller_that_left(acme):
    done: list[str] = []
    free = threading.Event()
    first = asyncio.create_task(database_step(free.wait, 60))
    await asyncio.sleep(0)
    left = asyncio.create_task(database_step(done.append, "left"))
    await asyncio.sleep(0)
    left.cancel()
    await asyncio.gather(left, return_exceptions=True)
    free.set()
    await first
    await database_step(done.append, "stayed")

    assert done == ["stayed"]


async def test_other_errors_pass_through(db):
    with pytest.raises(Organization.DoesNotExist):
        await database_step(Organization.objects.get)


async def test_cancelling_the_caller_does_not_cut_a_transaction(acme):
    begun, proceed = threading.Event(), threading.Event()

    def write_twice() -> None:
        with transaction.atomic():
            Organization.objects.create(name="One")
            begun.set()
            proceed.wait(5)
            Organization.objects.create(name="Two")

    task = asyncio.create_task(database_step(write_twice))
    await asyncio.to_thread(begun.wait, 5)
    task.cancel()
    proceed.set()
    await asyncio.gather(task, return_exceptions=True)

    assert await database_step(Organization.objects.count) == 3
