"""The database from asynchronous code: one thread hop for one whole step."""

import asyncio
import contextvars
import logging
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, close_old_connections, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from core.metrics import FAILED_STEPS, STEP, WAIT
from core.tracing import traced
from core.turns import Turns
from engine.errors import Unavailable

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

# Ours, and not asgiref's, for two reasons: asgiref's hop costs half as much again, and inside a
# page of Django it leads to that request's thread. SQLite has one writer: more threads are slower.
_thread = ThreadPoolExecutor(1, thread_name_prefix="database")
_turns = Turns()


def keep_no_statements() -> None:
    """Let new connections forget what they have asked. With `DEBUG` Django keeps 9,000 statements
    of each connection: whole answers, in a process that serves for days."""
    BaseDatabaseWrapper.queries_limit = 0


async def database_step(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `function(*args, **kwargs)`, with all of its queries, in the database thread.

    A hop costs more than a small query, so a caller puts everything that belongs together into one
    function; what may touch many rows goes in several steps. The organisations that are traced
    (`core.tracing`) take turns. Raises `Unavailable` where the database does not answer (gone,
    locked for longer than its timeout, pool exhausted). Cancelling the caller does not stop a step
    that has begun: it runs to its end, so a transaction is never cut in the middle."""
    future: Future[T] = Future()
    work = partial(_step, time.perf_counter(), function, *args, **kwargs)
    step = partial(contextvars.copy_context().run, work)
    _turns.add(traced().get("organization", ""), partial(_settle, future, step))
    _thread.submit(_turns.do_next)
    return await asyncio.wrap_future(future)


async def close_database() -> None:
    """Close what the steps keep open; the next one opens it again."""
    await asyncio.get_running_loop().run_in_executor(_thread, connections.close_all)


def _settle(future: Future[T], step: Callable[[], T]) -> None:
    """Do the step, unless its caller waits no more."""
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = step()
    except BaseException as error:  # noqa: BLE001 - whatever it is, the caller must hear of it
        future.set_exception(error)
    else:
        future.set_result(result)


def _step(asked: float, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    begun = time.perf_counter()
    WAIT.observe(begun - asked)
    close_old_connections()  # one that broke since the last step must not fail this one
    try:
        return function(*args, **kwargs)
    except (OperationalError, InterfaceError) as error:
        if _refused(error):
            raise
        FAILED_STEPS.inc()
        log.warning("database step %s failed", function.__qualname__, exc_info=True)
        raise Unavailable("The database does not answer, try again soon.") from error
    finally:
        _keep_files_open()
        close_old_connections()
        STEP.observe(time.perf_counter() - begun)


def _refused(error: Exception) -> bool:
    """Whether the database is there and this very statement is too much for it: that is no better
    later, and says nothing about other statements. SQLite has one code for all of these, and for a
    table that is missing while somebody migrates; in PostgreSQL they are class 54
    (https://www.postgresql.org/docs/current/errcodes-appendix.html)."""
    cause = error.__cause__
    if isinstance(cause, sqlite3.Error):
        generic = getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR
        return generic and not str(cause).startswith("no such")
    return (getattr(cause, "sqlstate", None) or "").startswith("54")


def _keep_files_open() -> None:
    """Opening SQLite costs as much as two queries, and closing its last connection moves the whole
    write-ahead log into the file. A connection from a pool is given back."""
    for connection in connections.all(initialized_only=True):
        if connection.vendor == "sqlite":
            connection.close_at = None
