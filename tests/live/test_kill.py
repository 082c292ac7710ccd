"""The server is killed in mid-answer, again and again, and nobody loses anything (P1, P4)."""

import asyncio
import random
import sqlite3
import time
from pathlib import Path

import pytest

from tests.live.clients import Event, Rest, WebSocket
from tests.live.outage import Outage
from tests.live.server import Server
from tests.live.watching import Watch, check_history, check_run

# It looks into the one process, or its files, and at the clock.
pytestmark = [pytest.mark.embedded, pytest.mark.alone]

KILLS = 20
RUNS = 9  # in flight at each kill, half of them over each door
END_SECONDS = 10.0  # P4


async def one_run(
    server: Server, outage: Outage, message: Event, *, by_socket: bool
) -> tuple[Watch, Watch]:
    """Ask over one door, watch over both; returns what each client has seen at the end."""
    asker, other = Watch(server, seen=outage.seen), Watch(server, seen=outage.seen)
    frame = {"content": message["message"], "clientMessageId": message["clientMessageId"]}

    async def watch() -> None:
        await asker.started.wait()
        other.run_id = asker.run_id
        path = f"/api/runs/{other.run_id}/events"
        await outage.insist(other, (lambda: other.sse(path=path)) if by_socket else other.ws)

    async with asyncio.TaskGroup() as group:
        group.create_task(watch())
        group.create_task(
            outage.insist(
                asker, (lambda: asker.ws(frame)) if by_socket else lambda: asker.sse(message)
            )
        )
    return asker, other


@pytest.mark.timeout(300)
async def test_twenty_kills_in_mid_answer_lose_nothing(make_server) -> None:
    """P1, P2, P4, P9: 20 kills with 9 runs each, every run watched over both doors."""
    server, choose, endings = make_server(), random.Random(20), []
    asked: list[str] = []
    for kill in range(KILLS):
        outage = Outage()
        # From before the first acknowledgement to deep in the answers.
        outage.patience = choose.choice([1, 20, 200, 600, 1200])
        outage.up.set()
        messages = [
            {
                "message": f"{kill}-{i} [[upstream tokens=100 delay=5]]",
                "clientMessageId": f"{kill}-{i}",
            }
            for i in range(RUNS)
        ]
        asked += [message["message"] for message in messages]
        runs = [
            asyncio.create_task(one_run(server, outage, message, by_socket=i % 2 == 0))
            for i, message in enumerate(messages)
        ]
        await outage.due.wait()
        outage.up.clear()
        server.kill()
        begun = time.monotonic()
        await asyncio.to_thread(server.start)
        outage.up.set()
        pairs = await asyncio.gather(*runs)
        assert time.monotonic() - begun < END_SECONDS
        async with Rest(server.url, server.keys.acme) as rest:
            for asker, other in pairs:
                assert asker.events == other.events
                endings.append(check_ending(asker))
                await check_history(rest, asker.events)
    assert stored(server, asked) == [1] * KILLS * RUNS
    assert endings.count("run_interrupted") > KILLS  # the kills did hit answers


def check_ending(watch: Watch) -> str:
    """Complete, or interrupted with what was said and an estimate of what it cost."""
    outcome = check_run(watch.events)
    if outcome["type"] == "message_complete":
        return "complete"
    assert outcome["code"] == "run_interrupted"
    assert watch.events[-1]["reason"] == "interrupted"
    usage = outcome["usage"]
    assert usage["source"] == "estimated"
    assert usage["inputTokens"] > 0
    assert usage["outputTokens"] > 0
    return "run_interrupted"


def stored(server: Server, contents: list[str]) -> list[int]:
    """How often each message of a user stands in the database."""
    query = "SELECT count(*) FROM conversations_message WHERE role = 'user' AND content = ?"
    with sqlite3.connect(server.database) as database:
        return [database.execute(query, [content]).fetchone()[0] for content in contents]


async def test_any_step_of_the_end_can_be_the_last(make_server) -> None:
    """P3, P4, P5, P9: the process dies between the last step, outcome, commit and `done`, or in a
    write; and what a database from a backup has lost comes back from the log."""
    server = make_server()
    watches = await answered(server, 5)
    server.kill()
    committed, not_committed, no_outcome, torn, _ = watches
    for watch in watches[1:]:
        forget_end(server, watch)
    cut(server, committed, lines=1)
    cut(server, not_committed, lines=1)
    cut(server, no_outcome, lines=3)
    cut(server, torn, lines=0, characters=5)
    await asyncio.to_thread(server.start)
    async with Rest(server.url, server.keys.acme) as rest:
        for watch in watches:
            again = Watch(server, watch.run_id)
            await again.ws()
            types = [event["type"] for event in again.events]
            assert types == [event["type"] for event in watch.events]
            assert (types[-2], again.events[-1]["reason"]) == ("message_complete", "complete")
            check_run(again.events, watch.events[-2]["content"])
            await check_history(rest, again.events)


async def test_a_log_behind_its_database_is_given_up(make_server) -> None:
    """P3: a power cut may take the end of a journal whose run is final: said so, no false end."""
    server = make_server()
    (watch,) = await answered(server, 1)
    server.kill()
    cut(server, watch, lines=8)
    await asyncio.to_thread(server.start)
    async with await WebSocket.open(server.ws_url, server.keys.acme) as socket:
        await socket.send(type="resume", runId=watch.run_id, lastSeq=3)
        assert (await socket.until("error"))["code"] == "history_expired"
        await socket.send(type="resume", runId=watch.run_id)
        message = (await socket.until("snapshot"))["message"]
    assert (message["status"], message["content"]) == ("completed", watch.events[-2]["content"])
    async with Rest(server.url, server.keys.acme) as rest:
        await check_history(rest, watch.events)


async def answered(server: Server, count: int) -> list[Watch]:
    """So many runs of nine words, seen to their end."""
    watches = [Watch(server) for _ in range(count)]
    await asyncio.gather(*(watch.ws({"content": "[[upstream tokens=9]]"}) for watch in watches))
    return watches


def cut(server: Server, watch: Watch, *, lines: int, characters: int = 0) -> None:
    """Take the last lines from a run's journal, and of what is left the last characters."""
    path = Path(f"{server.database}.runs") / f"{watch.run_id}.jsonl"
    kept = path.read_bytes().splitlines(keepends=True)
    kept = kept[: len(kept) - lines]
    path.write_bytes(b"".join(kept)[: -characters or None])


def forget_end(server: Server, watch: Watch) -> None:
    """Take back the commit of a run's outcome."""
    with sqlite3.connect(server.database) as database:
        database.execute(
            "UPDATE conversations_run SET status = 'running', usage = NULL, cost = NULL,"
            " finished_at = NULL WHERE id = ?",
            [watch.run_id],
        )
        database.execute(
            "UPDATE conversations_message SET status = 'queued', content = '', usage = NULL,"
            " stop_reason = NULL WHERE public_id = ?",
            [watch.events[0]["messageId"]],
        )
