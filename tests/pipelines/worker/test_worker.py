"""`pipelines.worker`: from items that are put in to a receiver on loopback."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from django.utils import timezone

from conversations.feed.feed import Feed
from conversations.feed.stores.local import DatabaseStore
from conversations.signals.channel import Signals
from core.database import database_step
from pipelines.access import inbox, ownership
from pipelines.access import pipelines as access
from pipelines.models import Checkpoint, Failure, InboxItem, Pipeline
from pipelines.worker.worker import Worker
from tests.pipelines.receiver import SOON, receiving

WINDOW = {
    "type": "window",
    "config": {
        "type": "tumbling",
        "size": 1000,
        "timeField": "at",
        "aggregations": [{"field": "n", "function": "sum"}],
    },
}


@asynccontextmanager
async def working():
    worker = Worker(Feed(DatabaseStore(3600), Signals()), shared=False)
    worker.start()
    try:
        yield
    finally:
        await worker.stop()


async def until(step, *args):
    """What the step returns, once it is true."""
    async with asyncio.timeout(SOON):
        while not (found := await database_step(step, *args)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return found


def counters(row):
    latest = Checkpoint.objects.filter(pipeline=row, latest=True).first()
    return latest.metrics["counters"] if latest else {}


def stopped(row):
    found = Pipeline.objects.get(pk=row.pk)
    return found.status == "stopped" and not found.stopping


def released(row):
    """Whether no process owns it."""
    return Pipeline.objects.get(pk=row.pk).free_at <= timezone.now()


async def test_it_works(made):
    async with receiving() as receiver, working():
        row = await database_step(
            made,
            receiver.url,
            {"type": "filter", "config": {"field": "n", "operator": "gt", "value": 1}},
            {"type": "map", "config": {"expression": {"double": "n * 2"}}},
        )
        await database_step(inbox.append, row.pk, [{"n": n} for n in range(5)])
        await receiver.got(3)
        assert receiver.bodies == [{"double": 4}, {"double": 6}, {"double": 8}]
        assert len({headers["webhook-id"] for _, headers, _ in receiver.requests}) == 3
        told = await until(lambda: counters(row).get("delivered") == 3 and counters(row))
        assert told == {"received": 5, "delivered": 3, "filtered": 2, "failed": 0, "late": 0}
        assert not await database_step(InboxItem.objects.exists)


@pytest.mark.parametrize("answer", ["400 No", "302 Found"])
async def test_a_poison_item_goes_to_the_failures_and_the_others_go_on(made, answer):
    async with (
        receiving(lambda body: answer if body["n"] == 1 else "200 OK") as receiver,
        working(),
    ):
        row = await database_step(made, receiver.url)
        await database_step(inbox.append, row.pk, [{"n": n} for n in range(3)])
        await receiver.got(3)
        failure = await until(Failure.objects.first)
        assert (failure.destination, answer[:3] in failure.reason) == (0, True)
        receiver.answer = lambda body: "200 OK"
        await database_step(Failure.objects.update, retried=True)
        await receiver.got(4)
        assert receiver.bodies[3] == {"n": 1}
        told = await until(lambda: counters(row).get("delivered") == 3 and counters(row))
        assert (told["failed"], told["received"]) == (0, 3)
        assert not await database_step(Failure.objects.exists)


async def test_what_fails_for_a_while_is_tried_again_and_arrives_in_order(made):
    answers = ["500 No", "503 No", "429 No"]
    async with (
        receiving(lambda body: answers.pop() if answers else "200 OK") as receiver,
        working(),
    ):
        row = await database_step(
            made,
            receiver.url,
            destinations=[
                {
                    "type": "webhook",
                    "config": {
                        "url": receiver.url,
                        "retryPolicy": {"maxRetries": 3, "backoffMs": 10},
                    },
                }
            ],
        )
        await database_step(inbox.append, row.pk, [{"n": 1}, {"n": 2}])
        await receiver.got(5)
    assert receiver.bodies == [{"n": 1}] * 4 + [{"n": 2}]


async def test_a_worker_that_dies_loses_nothing_and_windows_stay_exact(made, monkeypatch):
    """Ten workers are cut off without a last checkpoint, one after the other."""
    async with receiving() as receiver:
        row = await database_step(made, receiver.url, WINDOW)
        total = 0
        for round_ in range(10):
            worker = Worker(Feed(DatabaseStore(3600), Signals()), shared=False)
            worker.start()
            items = [{"n": 1, "at": (round_ * 100 + n) * 100} for n in range(100)]
            total += await database_step(inbox.append, row.pk, items)
            await until(lambda: counters(row).get("received", 0) >= 50)
            monkeypatch.setattr("pipelines.worker.runner.Runner._leave", _nothing)
            await worker.stop()
            monkeypatch.undo()
        async with working():
            await until(lambda: counters(row).get("received") == total)
            await database_step(access.stop, await database_step(Pipeline.objects.get, pk=row.pk))
            await until(stopped, row)
    windows = {each["windowStart"]: each["sum_n"] for each in receiver.bodies}
    assert windows == {start * 1000: 10 for start in range(100)}
    ids = {headers["webhook-id"] for _, headers, _ in receiver.requests}
    assert len(ids) == 100


async def _nothing(self, stopped):
    pass


async def test_stop_delivers_what_is_held_and_pause_keeps_it(made):
    batch = {"type": "batch", "config": {"size": 100, "timeout": 600_000}}
    async with receiving() as receiver, working():
        row = await database_step(made, receiver.url, batch)
        await database_step(inbox.append, row.pk, [{"n": 1}, {"n": 2}])
        await until(lambda: counters(row).get("received") == 2)
        await database_step(access.pause, row)
        await database_step(inbox.append, row.pk, [{"n": 3}])
        await until(
            lambda: (
                Pipeline.objects.get(pk=row.pk).free_at <= row.created_at.now(row.created_at.tzinfo)
            )
        )
        assert receiver.requests == []
        await database_step(access.resume, row)
        await until(lambda: counters(row).get("received") == 3)
        await database_step(access.stop, row)
        await until(stopped, row)
    assert [each["n"] for each in receiver.bodies[0]["items"]] == [1, 2, 3]


async def test_a_slow_receiver_slows_reading_and_is_seen(made, monkeypatch):
    monkeypatch.setattr("pipelines.flow.flow.MAX_WAITING", 50)
    monkeypatch.setattr("pipelines.worker.runner.MAX_READ", 10)
    async with receiving(lambda body: None) as receiver, working():
        row = await database_step(made, receiver.url)
        await database_step(inbox.append, row.pk, [{"n": n} for n in range(500)])
        latest = await until(
            Checkpoint.objects.filter(pipeline=row, metrics__backpressure__gte=0.8).first
        )
        assert latest.metrics["counters"]["received"] <= 60
        assert latest.metrics["inFlight"] == latest.metrics["counters"]["received"]
        assert len(receiver.requests) == 1


async def test_two_destinations_do_not_wait_for_each_other(made):
    async with receiving(lambda body: None) as dead, receiving() as well, working():
        row = await database_step(
            made,
            destinations=[
                {"type": "webhook", "config": {"url": each.url}} for each in (dead, well)
            ],
        )
        await database_step(inbox.append, row.pk, [{"n": n} for n in range(100)])
        await well.got(100)
        assert len(dead.requests) == 1


async def test_p28_an_address_that_leads_into_our_network_is_refused(made, settings):
    async with receiving() as receiver:
        row = await database_step(made, receiver.url)
        settings.CLAW_ALLOW_PRIVATE_NETWORKS = []
        async with working():
            await database_step(inbox.append, row.pk, [{"n": 1}])
            failure = await until(Failure.objects.first)
    assert failure.reason == "The address is not allowed."
    assert receiver.requests == []


async def test_an_edit_lets_go_what_the_old_stages_held(made):
    async with receiving() as receiver, working():
        row = await database_step(made, receiver.url, WINDOW)
        await database_step(inbox.append, row.pk, [{"n": 2, "at": 5}])
        await until(lambda: counters(row).get("received") == 1)
        await database_step(access.pause, row)
        await until(released, row)
        await database_step(access.change, row, {"transforms": []})
        await database_step(inbox.append, row.pk, [{"n": 3}])
        await database_step(access.resume, row)
        await receiver.got(2)
    assert [each.get("sum_n", each.get("n")) for each in receiver.bodies] == [2, 3]


async def test_a_checkpoint_is_restored(made):
    aggregate = {
        "type": "aggregate",
        "config": {"aggregations": [{"field": "n", "function": "sum"}]},
    }
    async with receiving() as receiver, working():
        row = await database_step(made, receiver.url, aggregate)
        await database_step(inbox.append, row.pk, [{"n": 1}])
        await until(lambda: counters(row).get("delivered") == 1)
        kept = await database_step(access.keep_checkpoint, row)
        await database_step(inbox.append, row.pk, [{"n": 10}])
        await until(lambda: counters(row).get("delivered") == 2)
        await database_step(access.restore, row, kept)
        await receiver.got(3)
    assert [each["sum_n"] for each in receiver.bodies] == [1, 11, 11]


async def test_only_one_of_two_workers_has_a_pipeline_and_the_other_takes_it_over(made):
    row = await database_step(made)
    (first,) = await database_step(ownership.claim, 10)
    assert await database_step(ownership.claim, 10) == []
    await database_step(ownership.free_all)
    (second,) = await database_step(ownership.claim, 10)
    assert not await database_step(ownership.renew, first)
    assert await database_step(ownership.renew, second)
    assert first.pk == second.pk == row.pk
