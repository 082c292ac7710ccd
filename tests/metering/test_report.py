"""`metering.report`: hours added up by day and group, in any time zone."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering import report as module
from metering.recording import record
from metering.report import GROUPS, Days, Report, TooManyRows, Unfinished
from tests.metering.ended import NOON, ended

UTC_DAYS = Days(date(2026, 11, 1), date(2026, 11, 30), ZoneInfo("UTC"))
ZONES = (
    "UTC",
    "Pacific/Kiritimati",
    "Etc/GMT+12",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Asia/Kathmandu",
)


def read(organization, days=UTC_DAYS, *groups):
    found = Report(organization.id, days, groups or ("day",))
    while found.step():
        pass
    return found


def test_it_works(acme, globex):
    tomorrow = NOON + timedelta(days=1)
    record([ended(acme.id), ended(acme.id, created_at=tomorrow), ended(acme.id, status="failed")])
    record([ended(globex.id)])

    found = read(acme)
    assert (found.total.runs, found.total.errors, found.total.total_tokens) == (3, 1, 45)
    assert found.total.cost == 0.75
    assert found.total.quantile("ttftMs", 0.95) == pytest.approx(200, rel=0.05)
    assert [(named["day"].day, sums.runs) for named, sums in found.rows()] == [(20, 2), (21, 1)]


def test_groups_add_up_to_the_total(acme, monkeypatch):
    monkeypatch.setattr(module, "STEP", 2)
    runs = [
        ended(acme.id, agent_id=agent, key_id=key, model=model, created_at=NOON - timedelta(days=n))
        for n, (agent, key, model) in enumerate(
            [("a", None, "m"), ("b", "k", "m"), ("a", "k", "n"), ("a", None, "m")]
        )
    ]
    record(runs)
    for group in (*((each,) for each in GROUPS), GROUPS):
        found = read(acme, UTC_DAYS, *group)
        assert sum(sums.total_tokens for _, sums in found.rows()) == found.total.total_tokens == 60
    by_agent = read(acme, UTC_DAYS, "agent").rows()
    assert [(named["agent_id"], sums.runs) for named, sums in by_agent] == [("a", 3), ("b", 1)]
    assert {named["key_id"] for named, _ in read(acme, UTC_DAYS, "key").rows()} == {None, "k"}


def test_runs_that_have_not_ended_are_counted(acme):
    record([ended(acme.id)])
    found = read(acme, UTC_DAYS, "agent")
    running = Unfinished("running", NOON, "agt_1", None, "demo", "demo")
    found.add_unfinished([running, running._replace(created_at=NOON - timedelta(days=99))])
    assert found.total.statuses == {"completed": 1, "running": 1}
    ((_, sums),) = found.rows()
    assert sums.runs == 2


def test_nothing_is_nothing(acme):
    found = read(acme)
    assert (found.rows(), found.total.runs, found.total.quantile("ttftMs", 0.5)) == ([], 0, None)


def test_too_many_rows_are_refused(acme, monkeypatch):
    monkeypatch.setattr(module, "MAX_ROWS", 1)
    record([ended(acme.id), ended(acme.id, agent_id="agt_2")])
    with pytest.raises(TooManyRows):
        read(acme, UTC_DAYS, "agent")


@given(
    st.sampled_from(ZONES),
    st.dates(date(2026, 1, 1), date(2026, 12, 1)),
    st.integers(0, 40),
    st.datetimes(datetime(2025, 12, 1), datetime(2027, 2, 1)),
)
def test_single_days_add_up_to_the_range(zone, first, length, moment):
    """Over the change of the clock, from UTC-12 to UTC+14: each hour is on one of the days exactly
    if it is in the range."""
    days = Days(first, first + timedelta(length), ZoneInfo(zone))
    hour = module.hour_of(moment.replace(tzinfo=UTC))
    single = [
        Days(day, day, days.zone) for day in (first + timedelta(n) for n in range(length + 1))
    ]
    on = [day.first for day in single if hour in day.hours]
    assert (len(on) == 1) == (hour in days.hours)
    if on:
        assert on == [days.day_of(hour)]


def test_the_period_before_is_as_long(acme):
    before = UTC_DAYS.before()
    assert (before.first, before.last) == (date(2026, 10, 2), date(2026, 10, 31))


def test_a_step_reads_so_many_rows(acme, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(module, "STEP", 10)
    record([ended(acme.id, created_at=NOON - timedelta(hours=n)) for n in range(25)])
    with django_assert_num_queries(3):
        found = read(acme)
    assert found.total.runs == 25
