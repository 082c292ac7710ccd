"""What an answer costs the database."""

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.live.clients import WebSocket
from tests.live.installation import ScaledOut
from tests.live.raw import until
from tests.live.scaled.asking import query
from tests.live.scaled.stack import Stack
from tests.postgres_server import Databases, PostgresServer

MAX_STATEMENTS, TOGETHER, MAX_TRIES = 6, 20, 3
STATEMENT = re.compile(r"(?:statement|execute [^:]*): (.*(?:\n\t.*)*)")
AROUND = ("BEGIN", "COMMIT")
# Once in so many seconds for a whole process, however many answers there are; and the test's own.
OF_A_PROCESS = (
    *('"stop" IS NOT NULL', 'conversations_run"."api_key_id" IN', 'FROM "agents_apikey"'),
    *("procrastinate_update_heartbeat", "abort_requested = true", "pg_notify"),
    *("status = 'doing' AND worker_id", "LEFT JOIN procrastinate_workers", "count(*)"),
    *('"waits_until" <=', '"agents_agent" LEFT OUTER JOIN', 'FROM "webhooks_'),
    *('FROM "knowledge_document"', 'FROM "agents_identitysecret"', 'FROM "metering_budget"'),
)


@pytest.fixture
def postgres() -> Iterator[PostgresServer]:
    """One that writes down what it is asked."""
    server = PostgresServer(log_statement="all")
    try:
        server.start()
        yield server
    finally:
        server.remove()


async def test_an_answer_costs_six_statements(
    installation: ScaledOut,
    postgres: PostgresServer,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    """At most six beside BEGIN and COMMIT, those of the queue among them, amortised over twenty
    that begin and end together. On a busy machine they may come one by one: three tries."""
    with installation.moved_to(Databases(postgres.url)).deployed(tmp_path) as stack:
        await asyncio.to_thread(stack.start)
        await answers(stack)  # whatever is asked once
        tries = [await statements_of_answers(stack, postgres) for _ in range(MAX_TRIES)]
    fewest = min(tries, key=Counter.total)
    record_property("statements of an answer", [each.total() / TOGETHER for each in tries])
    record_property("which", dict(fewest.most_common()))
    assert fewest.total() <= MAX_STATEMENTS * TOGETHER, fewest


async def statements_of_answers(stack: Stack, postgres: PostgresServer) -> Counter[str]:
    before = len(postgres.log)
    await answers(stack)
    said = [found[1] for found in STATEMENT.finditer(postgres.log[before:])]
    return Counter(
        re.sub(r"\s+", " ", statement)[:90]
        for statement in said
        if not statement.startswith(AROUND) and not any(part in statement for part in OF_A_PROCESS)
    )


async def answers(stack: Stack) -> None:
    """Twenty of them, to their last trace in the queue."""
    sockets = await asyncio.gather(
        *(WebSocket.open(stack.ws_url, stack.keys.acme) for _ in range(TOGETHER))
    )
    await asyncio.gather(*(socket.ask("[[upstream tokens=20 delay=20]]") for socket in sockets))
    await asyncio.gather(*(socket.connection.close() for socket in sockets))
    await until(lambda: query(stack, "SELECT count(*) FROM procrastinate_jobs") == [(0,)])
