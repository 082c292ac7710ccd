"""The database: it answers, its tables are current, and it keeps what it confirms."""

import time
from collections.abc import Iterator

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from clawsite.doctor.finding import MAX_SKEW, Finding, problem, skewed, well


def check_database() -> Iterator[Finding]:
    """Findings about `DATABASE_URL`."""
    try:
        connection.ensure_connection()
        yield _migrations()
        if connection.vendor == "postgresql":
            yield from _postgresql()
    except DatabaseError as error:
        reason = str(error).strip().splitlines()[0]
        yield problem(
            "database",
            f"It does not answer: {reason}",
            "Start it, or correct DATABASE_URL (docs/settings.md).",
        )


def _migrations() -> Finding:
    executor = MigrationExecutor(connection)
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if pending:
        return problem(
            "database", f"{len(pending)} migrations are not applied.", "Run `manage.py migrate`."
        )
    return well("database", f"{connection.display_name} answers, and its tables are current.")


def _postgresql() -> Iterator[Finding]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('synchronous_commit'), current_setting('fsync'),"
            " extract(epoch from clock_timestamp())"
        )
        commit, fsync, now = cursor.fetchone()
    skew = float(now) - time.time()
    if "off" in (commit, fsync):
        yield problem(
            "database",
            f"synchronous_commit is {commit} and fsync is {fsync}: after a loss of power, messages "
            "that were acknowledged may be gone.",
            "Set both to on in postgresql.conf, and for the role (`ALTER ROLE ... RESET`).",
        )
    if abs(skew) > MAX_SKEW:
        yield skewed("database", "PostgreSQL", skew)
