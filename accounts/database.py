"""The database from asynchronous code: one thread hop for one whole step."""

import asyncio
import contextvars
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, close_old_connections, connections

from engine.errors import Unavailable

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

# Ours, and not asgiref's, for two reasons: asgiref's hop costs half as much again, and inside a
# page of Django it leads to that request's thread. SQLite has one writer: more threads are slower.
_thread = ThreadPoolExecutor(1, thread_name_prefix="database")


async def database_step(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `function(*args, **kwargs)`, with all of its queries, in the database thread.

    A hop costs more than a small query, so a caller puts everything that belongs together into one
    function. Raises `Unavailable` where the database does not answer (gone, locked for longer than
    its timeout, pool exhausted). Cancelling the caller does not stop a step that has begun: it runs
    to its end, so a transaction is never cut in the middle."""
    context = contextvars.copy_context()
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(
        _thread, lambda: context.run(_step, function, *args, **kwargs)
    )


async def close_database() -> None:
    """Close what the steps keep open; the next one opens it again."""
    await asyncio.get_running_loop().run_in_executor(_thread, connections.close_all)


def _step(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    close_old_connections()  # one that broke since the last step must not fail this one
    try:
        return function(*args, **kwargs)
    except (OperationalError, InterfaceError) as error:
        log.warning("database step %s failed", function.__qualname__, exc_info=True)
        raise Unavailable("The database does not answer, try again soon.") from error
    finally:
        _keep_files_open()
        close_old_connections()


def _keep_files_open() -> None:
    """Opening SQLite costs as much as two queries, and closing its last connection moves the whole
    write-ahead log into the file. A connection from a pool is given back."""
    for connection in connections.all(initialized_only=True):
        if connection.vendor == "sqlite":
            connection.close_at = None
