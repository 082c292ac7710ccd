"""`metering.objects`: a report as JSON and as a table."""

import msgspec

from metering.objects import rows_of, table, usage_of
from metering.recording import record
from tests.metering.ended import ended
from tests.metering.test_report import UTC_DAYS, read


def test_it_works(acme):
    record([ended(acme.id, key_id="key_1"), ended(acme.id, status="cancelled", cancel_ms=7)])
    found = read(acme, UTC_DAYS, "agent", "key")
    rows = rows_of(found, {"agt_1": "Helper", "key_1": "Shop"})
    assert [(row.agent_name, row.key_id, row.key_name) for row in rows] == [
        ("Helper", None, None),
        ("Helper", "key_1", "Shop"),
    ]
    total = usage_of(found.total)
    assert (total.runs, total.cancelled, total.errors, total.cost) == (2, 1, 0, 0.5)
    assert (total.ttft_p50_ms, total.time_to_cancel_p95_ms) == (198, 7)


def test_a_row_says_only_what_names_it(acme):
    record([ended(acme.id)])
    (row,) = rows_of(read(acme, UTC_DAYS, "day"), {})
    names = set(msgspec.to_builtins(row))
    assert "day" in names and not {"agentId", "keyId", "model"} & names


def test_a_table_has_the_names_of_the_fields(acme):
    record([ended(acme.id)])
    found = read(acme, UTC_DAYS, "day", "model")
    head, line = table(rows_of(found, {}), found.group_by)
    assert head[:5] == ["day", "provider", "model", "runs", "errors"]
    assert dict(zip(head, line, strict=True))["inputTokens"] == 10
