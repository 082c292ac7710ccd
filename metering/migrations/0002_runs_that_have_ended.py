"""Counts the runs that ended before there were hours of usage."""

import json
from collections import defaultdict

from django.db import migrations

from metering.histograms import add, bucket_of

COLUMNS = ("organization_id", "created_at", "agent_id", "api_key_id", "provider", "model")
STATUSES = ("completed", "cancelled", "failed", "interrupted")
AT_ONCE = 500


def roll_up(apps, schema_editor):
    """One hour's rows after the other, in the order in which the runs were accepted."""
    runs = apps.get_model("conversations", "Run").objects.filter(status__in=STATUSES)
    hours = apps.get_model("metering", "UsageHour")
    rows = runs.order_by("organization_id", "created_at")
    place_of = lambda run: (int(run["created_at"].timestamp()) // 3600, run["organization_id"])
    found, at = {}, None
    for run in rows.values(*COLUMNS, "status", "usage", "cost").iterator(AT_ONCE):
        if place_of(run) != at:
            store(hours, found)
            found, at = {}, place_of(run)
        count(hours, found, at, run)
    store(hours, found)


def count(hours, found, at, run):
    """Adds a run to the row of its agent, key and model."""
    usage = run["usage"] or {}
    place = (run["agent_id"], run["api_key_id"] or "", run["provider"], run["model"])
    if place not in found:
        agent, key, provider, model = place
        names = {"agent_id": agent, "key_id": key, "provider": provider, "model": model}
        found[place] = hours(organization_id=at[1], hour=at[0], **names), defaultdict(dict)
    row, times = found[place]
    setattr(row, run["status"], getattr(row, run["status"]) + 1)
    row.input_tokens += usage.get("inputTokens", 0)
    row.output_tokens += usage.get("outputTokens", 0)
    row.cost += round((run["cost"] or 0) * 10**8)
    row.unpriced += run["cost"] is None
    row.estimated += usage.get("source") == "estimated"
    for name in ("ttftMs", "tokensPerSecond"):
        if usage.get(name) is not None:
            add(times[name], {bucket_of(float(usage[name])): 1})


def store(hours, found):
    """Stores the rows of an hour."""
    for row, times in found.values():
        row.times = json.dumps(times)
    hours.objects.bulk_create([row for row, _ in found.values()], batch_size=50)


class Migration(migrations.Migration):
    dependencies = [
        ("metering", "0001_usage_hour"),
        ("conversations", "0015_decision_pinned"),
    ]
    operations = [migrations.RunPython(roll_up, migrations.RunPython.noop, elidable=True)]
