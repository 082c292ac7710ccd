"""What every store of the feed promises: a backend's tests import it all and bring the fixtures
`open_store(retention=...)` (another client of the same backend), `writing_command(organization,
subject)` (a process that writes a hundred events), `away()` (a context in which the backend does
not answer) and `count(organization)` (how many events it holds)."""

import asyncio
from contextlib import suppress

import pytest

from conversations.feed import followers, writer
from conversations.feed.base import CursorLost, Kept, Store
from conversations.feed.feed import Feed
from engine.errors import Unavailable
from tests.conversations.feed.events import closed, events, life, opened, went_on

SOON = 10.0  # seconds: whoever waits is told long before


async def everything(store: Store, organization_id: str, after: str, limit: int = 7) -> list[Kept]:
    """All that comes after a cursor, in small pages."""
    found: list[Kept] = []
    while page := await store.read(organization_id, after, limit):
        found += page
        after = page[-1].cursor
    return found


async def test_it_works(store, acme):
    begin = await store.newest(acme.pk)
    await store.append(1, {acme.pk: life("run_1")})
    kept = await store.read(acme.pk, begin, 100)
    assert events(kept) == life("run_1")
    assert await store.newest(acme.pk) == kept[-1].cursor
    assert await store.read(acme.pk, kept[-1].cursor, 100) == []


async def test_the_oldest_cursor_is_before_everything_that_is_kept(store, acme):
    begin = await store.oldest(acme.pk)
    await store.append(1, {acme.pk: life("run_1")})
    assert await store.oldest(acme.pk) == begin
    assert events(await store.read(acme.pk, begin, 100)) == life("run_1")


async def test_it_goes_on_after_any_cursor(store, acme):
    begin = await store.newest(acme.pk)
    await store.append(1, {acme.pk: life("run_1", 20)})
    kept = await everything(store, acme.pk, begin)
    assert events(kept) == life("run_1", 20)
    for place, one in enumerate(kept):
        assert await everything(store, acme.pk, one.cursor) == kept[place + 1 :]


async def test_organisations_share_nothing(store, acme, globex):
    begin = await store.newest(acme.pk), await store.newest(globex.pk)
    await store.append(1, {acme.pk: life("run_1"), globex.pk: life("run_2")})
    assert events(await store.read(acme.pk, begin[0], 100)) == life("run_1")
    assert events(await store.read(globex.pk, begin[1], 100)) == life("run_2")
    with pytest.raises(CursorLost):
        await store.read(acme.pk, begin[1], 100)


async def test_a_call_that_is_repeated_counts_once(store, acme):
    begin = await store.newest(acme.pk)
    for _ in range(2):
        await store.append(1, {acme.pk: [opened("run_1"), went_on("run_1", 0)]})
    await store.append(2, {acme.pk: [went_on("run_1", 1), closed("run_1")]})
    assert events(await store.read(acme.pk, begin, 100)) == life("run_1", 2)


async def test_a_subject_is_opened_first_and_closed_last_whoever_says_so(store, open_store, acme):
    begin = await store.newest(acme.pk)
    other = open_store()
    await other.append(1, {acme.pk: [went_on("run_1"), closed("run_1")]})  # nobody knows it yet
    await store.append(1, {acme.pk: [opened("run_1"), went_on("run_1")]})
    await other.append(2, {acme.pk: [opened("run_1"), closed("run_1"), went_on("run_1")]})
    await store.append(2, {acme.pk: life("run_1")})  # it is over
    assert events(await store.read(acme.pk, begin, 100)) == life("run_1")


async def test_many_clients_write_in_one_order(store, open_store, acme):
    begin = await store.newest(acme.pk)

    async def write(number: int) -> None:
        client, subject = open_store(), f"run_{number}"
        for call, one in enumerate(life(subject, 18), 1):
            await client.append(call, {acme.pk: [one]})

    await asyncio.gather(*map(write, range(5)))
    kept = await everything(store, acme.pk, begin)
    assert len(kept) == len({one.cursor for one in kept}) == 100
    assert await everything(open_store(), acme.pk, begin) == kept
    for number in range(5):
        subject = f"run_{number}"
        assert [one for one in events(kept) if one.subject == subject] == life(subject, 18)


@pytest.mark.process
async def test_many_processes_write_in_one_order(store, writing_command, acme):
    begin = await store.newest(acme.pk)
    subjects = ["run_a", "run_b"]
    writing = [
        await asyncio.create_subprocess_exec(*writing_command(acme.pk, subject))
        for subject in subjects
    ]
    assert [await process.wait() for process in writing] == [0, 0]
    kept = await everything(store, acme.pk, begin)
    for subject in subjects:
        assert [one for one in events(kept) if one.subject == subject] == life(subject, 98)


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "1",
        "nonsense",
        "run_1:3",
        "\0",
        "é.1",
        "{}.999999",
        "{}.999999999999999-0",
        "0" * 10_000,
    ],
)
async def test_what_is_no_cursor_is_lost(store, acme, cursor):
    await store.append(1, {acme.pk: life("run_1")})
    epoch = (await store.newest(acme.pk)).partition(".")[0]
    with pytest.raises(CursorLost):
        await store.read(acme.pk, cursor.replace("{}", epoch), 100)


async def test_a_cursor_with_any_byte_changed_is_lost_or_another_position(store, acme):
    begin = await store.newest(acme.pk)
    await store.append(1, {acme.pk: life("run_1", 5)})
    kept = await everything(store, acme.pk, begin)
    rests = [kept[place:] for place in range(len(kept) + 1)]
    for place in range(len(begin)):
        for sign in "0z.-\x7f":
            changed = begin[:place] + sign + begin[place + 1 :]
            with suppress(CursorLost):  # another epoch, or no position of this one
                assert await store.read(acme.pk, changed, 100) in rests


async def test_lost_history_is_said(store, acme):
    begin = await store.newest(acme.pk)
    await store.append(1, {acme.pk: life("run_1")})
    await store.lose(acme.pk)
    with pytest.raises(CursorLost):
        await store.read(acme.pk, begin, 100)
    begin = await store.newest(acme.pk)
    await store.append(2, {acme.pk: life("run_2")})
    assert events(await store.read(acme.pk, begin, 100)) == life("run_2")


async def test_the_oldest_are_forgotten_by_their_number(store, acme, bounds, count):
    bounds(events=100)
    begin = await store.newest(acme.pk)
    await store.append(1, {acme.pk: [opened("run_1")]})
    for call in range(2, 12):
        await store.append(call, {acme.pk: [went_on("run_1", n) for n in range(20)]})
    with pytest.raises(CursorLost):
        await store.read(acme.pk, begin, 1000)
    assert 50 < await count(acme.pk) <= 100
    await store.append(12, {acme.pk: [closed("run_1")]})  # it is open, though that is forgotten
    assert await count(acme.pk) <= 100


async def test_the_oldest_are_forgotten_by_their_size(store, acme, bounds, count):
    bounds(size=50_000)
    await store.begin(acme.pk)
    await store.append(1, {acme.pk: [opened("run_1")]})
    for call in range(2, 12):
        await store.append(call, {acme.pk: [went_on("run_1", n, size=1000) for n in range(20)]})
    assert 20 < await count(acme.pk) <= 50


async def test_what_is_older_than_the_retention_is_forgotten(open_store, acme, count):
    store = open_store(retention=0.2)
    begin = await store.newest(acme.pk)
    await store.append(1, {acme.pk: life("run_1")})
    assert len(await store.read(acme.pk, begin, 100)) == 3
    await asyncio.sleep(0.3)
    await store.append(2, {acme.pk: life("run_2")})
    await store.trim()
    with pytest.raises(CursorLost):
        await store.read(acme.pk, begin, 100)
    assert await count(acme.pk) == 3


async def test_what_nobody_has_asked_for_is_not_kept(store, open_store, acme, globex, count):
    await store.append(1, {acme.pk: life("run_1"), globex.pk: [opened("run_2")]})
    await store.lose(acme.pk)
    assert await count(acme.pk) == await count(globex.pk) == 0
    assert await store.unclosed() == []
    assert await open_store().begin(acme.pk) is True
    assert await store.begin(acme.pk) is False
    begin = await store.newest(acme.pk)
    await store.append(2, {acme.pk: life("run_3"), globex.pk: life("run_4")})
    assert events(await store.read(acme.pk, begin, 100)) == life("run_3")
    assert await count(globex.pk) == 0


async def test_what_nobody_reads_any_more_is_not_kept(open_store, acme, bounds, count):
    bounds(unread=0.2)
    store = open_store(retention=0.2)
    begin = await store.newest(acme.pk)
    await store.append(1, {acme.pk: [opened("run_1")]})
    await asyncio.sleep(0.5)
    await store.trim()
    await store.append(2, {acme.pk: life("run_2")})
    assert await count(acme.pk) == 0
    assert await store.begin(acme.pk) is True
    assert await store.unclosed() == []
    with pytest.raises(CursorLost):
        await store.read(acme.pk, begin, 100)


async def test_what_is_read_is_kept_for_longer(open_store, acme, bounds):
    bounds(unread=1)
    store = open_store(retention=1)
    cursor = await store.newest(acme.pk)
    for call in range(1, 27):  # for longer than both together
        await asyncio.sleep(0.1)
        await store.append(call, {acme.pk: life(f"run_{call}")})
        kept = await store.read(acme.pk, cursor, 100)
        await store.trim()
        assert events(kept) == life(f"run_{call}")
        cursor = kept[-1].cursor


async def test_what_has_expired_is_lost_also_where_nothing_happens(open_store, acme):
    store = open_store(retention=0.2)
    begin = await store.newest(acme.pk)
    await store.append(1, {acme.pk: life("run_1")})
    await asyncio.sleep(0.3)
    await store.trim()
    with pytest.raises(CursorLost):
        await store.read(acme.pk, begin, 100)
    begin = await store.newest(acme.pk)
    await store.append(2, {acme.pk: life("run_2")})
    assert events(await store.read(acme.pk, begin, 100)) == life("run_2")


async def test_progress_is_known_until_its_subject_is_closed(store, acme):
    await store.begin(acme.pk)
    await store.append(1, {acme.pk: [opened("run_1"), opened("run_2")]})
    await store.note(acme.pk, {"run_1": b"1", "run_2": b"1"})
    await store.note(acme.pk, {"run_1": b"2"})
    assert await store.noted(acme.pk) == {"run_1": b"2", "run_2": b"1"}
    await store.append(2, {acme.pk: [closed("run_1")]})
    assert await store.noted(acme.pk) == {"run_2": b"1"}


async def test_subjects_are_unclosed_until_they_are_closed(store, acme, globex):
    await store.begin(acme.pk)
    await store.begin(globex.pk)
    await store.append(1, {acme.pk: [opened("run_1"), opened("run_2")], globex.pk: life("run_3")})
    await store.append(2, {acme.pk: [went_on("run_1"), closed("run_1")]})
    assert await store.unclosed() == ["run_2"]


async def test_while_it_is_away_it_says_so(store, away, acme):
    begin = await store.newest(acme.pk)
    async with away():
        with pytest.raises(Unavailable):
            await store.append(1, {acme.pk: life("run_1")})
        with pytest.raises(Unavailable):
            await store.read(acme.pk, begin, 100)
    await store.append(1, {acme.pk: life("run_1")})
    assert events(await store.read(acme.pk, begin, 100)) == life("run_1")


# --- the same, as the product uses it: a queue before the store, and followers


@pytest.fixture
async def feed(open_store, signals):
    feed = Feed(open_store(), signals)
    feed.start()
    yield feed
    await feed.stop()


async def collect(follower: followers.Follower, until: str) -> list[Kept]:
    """What a follower is told, up to the end of a subject."""
    seen: list[Kept] = []
    async with asyncio.timeout(SOON):
        while not any(one.event == closed(until) for one in seen):
            seen += await follower.next(SOON)
    return seen


async def test_a_follower_is_told_what_is_written(feed, acme):
    begin = await feed.store.newest(acme.pk)
    async with feed.follow(acme.pk, begin) as follower:
        for one in life("run_1", 1000):
            feed.record(acme.pk, one)
        assert events(await collect(follower, "run_1")) == life("run_1", 1000)


async def test_progress_comes_after_the_beginning_and_never_after_the_end(feed, acme):
    begin = await feed.store.newest(acme.pk)
    async with feed.follow(acme.pk, begin) as follower:
        feed.record(acme.pk, opened("run_1"))
        feed.note(acme.pk, went_on("run_1", 1))
        first = await follower.next(SOON)
        assert events(first) == [opened("run_1"), went_on("run_1", 1)]
        assert [bool(one.cursor) for one in first] == [True, False]
        feed.note(acme.pk, went_on("run_1", 2))
        feed.record(acme.pk, closed("run_1"))
        feed.note(acme.pk, went_on("run_1", 3))
        assert events(await collect(follower, "run_1")) == [closed("run_1")]
        follower.wake({"run_1": ["run:status_changed", "agt_1", b"{}"]})
        assert await follower.next(0.1) == []


async def test_a_slow_reader_keeps_nobody_waiting_and_misses_nothing(feed, acme):
    begin = await feed.store.newest(acme.pk)
    async with feed.follow(acme.pk, begin) as slow, feed.follow(acme.pk, begin) as quick:
        for one in life("run_1", 700):
            feed.record(acme.pk, one)
        assert events(await collect(quick, "run_1")) == life("run_1", 700)
        assert events(await collect(slow, "run_1")) == life("run_1", 700)


async def test_a_slow_reader_whose_place_is_forgotten_is_told(feed, acme, bounds):
    bounds(events=50)
    begin = await feed.store.newest(acme.pk)
    async with feed.follow(acme.pk, begin) as slow, feed.follow(acme.pk, begin) as quick:
        feed.record(acme.pk, opened("run_1"))
        await quick.next(SOON)
        for one in life("run_2", 98):
            feed.record(acme.pk, one)
        with pytest.raises(CursorLost):
            await collect(slow, "run_2")


async def test_what_happens_while_the_store_is_away_is_told_when_it_is_back(feed, away, acme):
    begin = await feed.store.newest(acme.pk)
    async with feed.follow(acme.pk, begin) as follower:
        async with away():
            for one in life("run_1", 50):
                feed.record(acme.pk, one)
            assert await follower.next(0.5) == []
        assert events(await collect(follower, "run_1")) == life("run_1", 50)


async def test_what_finds_no_room_while_the_store_is_away_is_a_lost_history(
    feed, away, acme, monkeypatch
):
    monkeypatch.setattr(writer, "MAX_EVENTS", 10)
    begin = await feed.store.newest(acme.pk)
    async with feed.follow(acme.pk, begin) as follower:
        async with away():
            for one in life("run_1", 50):
                feed.record(acme.pk, one)
        with pytest.raises(CursorLost):
            await collect(follower, "run_1")


async def test_what_is_written_last_is_stored_when_the_process_ends(open_store, signals, acme):
    store = open_store()
    begin = await store.newest(acme.pk)
    feed = Feed(open_store(), signals)
    feed.start()
    for one in life("run_1"):
        feed.record(acme.pk, one)
    await feed.stop()
    assert events(await store.read(acme.pk, begin, 100)) == life("run_1")


async def test_positions_of_other_processes_are_found_without_a_signal(
    feed, open_store, acme, monkeypatch
):
    monkeypatch.setattr(followers, "POLL_SECONDS", 0.05)
    begin = await feed.store.newest(acme.pk)
    async with feed.follow(acme.pk, begin) as follower:
        await open_store().append(1, {acme.pk: life("run_1")})
        assert events(await collect(follower, "run_1")) == life("run_1")
