"""`agents.api.organization.audit`: the log over the API."""

import csv
import io
import json

import pytest
from django.test import RequestFactory

from agents.api.organization import audit
from agents.auth import keys
from auditing.models import AuditEvent
from auditing.recording import record
from engine.errors import ClawError
from tests.agents.callers import caller_of, having


@pytest.fixture
def admin(acme):
    """A key of every agent with the scope `admin`; what made it is forgotten."""
    key, _ = keys.create_key(acme, name="admin", scopes=["admin"])
    AuditEvent.objects.all()._raw_delete("default")
    return caller_of(key)


def asked(caller, accept="application/json", **query):
    request = RequestFactory().get("/api/audit", query, headers={"accept": accept})
    return audit.index(request, caller)


def test_it_works(admin, acme, globex):
    record(acme.pk, "key.created", subject_id="key_1", subject_name="Shop", after={"name": "Shop"})
    record(globex.pk, "key.created", subject_id="key_2")
    record(acme.pk, "agent.deleted", subject_id="agt_1", before={"name": "A"})
    page = json.loads(asked(admin).content)
    assert [event["action"] for event in page["events"]] == ["agent.deleted", "key.created"]
    assert page["events"][1]["actor"] == {"kind": "operator", "id": "", "name": "", "address": ""}
    assert page["events"][1]["after"] == {"name": "Shop"}
    (only,) = json.loads(asked(admin, action="key").content)["events"]
    assert only["subjectId"] == "key_1"


def test_pages_follow_one_another(admin, acme):
    for number in range(5):
        record(acme.pk, "key.changed", subject_id=f"key_{number}")
    seen, before = [], {}
    while True:
        page = json.loads(asked(admin, limit=2, **before).content)
        seen += [event["subjectId"] for event in page["events"]]
        if page["nextCursor"] is None:
            break
        before = {"before": page["nextCursor"]}
    assert seen == [f"key_{number}" for number in reversed(range(5))]


def test_it_is_exported(admin, acme):
    record(acme.pk, "key.created", subject_name="=cmd", after={"name": "x"})
    answer = asked(admin, accept="text/csv")
    (line,) = csv.DictReader(io.StringIO(answer.content.decode()))
    assert (line["action"], line["subjectName"]) == ("key.created", "'=cmd")
    assert json.loads(line["after"]) == {"name": "x"}


@pytest.mark.parametrize(
    ("query", "field"),
    [({"from": "soon"}, "from"), ({"to": "0001-01-01"}, "to"), ({"q": "\0"}, "q")],
)
def test_what_is_wrong_is_named(admin, query, field):
    with pytest.raises(ClawError) as raised:
        asked(admin, **query)
    assert raised.value.details == {"field": field}


def test_it_is_for_admins(admin):
    with pytest.raises(ClawError) as raised:
        asked(having(admin, scopes=frozenset({"usage:read"})))
    assert raised.value.code == "forbidden"
