"""`accounts.idempotency`: a request is carried out once."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import timezone

from accounts import idempotency
from accounts.idempotency import Attempt, once, recall
from accounts.models import RememberedRequest, Secret
from core.http import Answer
from engine.errors import ClawError
from tests.conversations.execution.test_acceptance import in_parallel


@pytest.fixture
def attempt(acme):
    return Attempt(organization_id=acme.id, sender="key_1", name="k", fingerprint="f")


def made(number=1):
    def answer():
        response = Answer({"number": number}, 201, secret={"apiKey": "claw_live_x"})
        response["ETag"] = '"1"'
        return response

    return answer


def never():
    raise AssertionError("carried out a second time")


def test_it_works(attempt):
    first, second = once(attempt, made()), once(attempt, never)

    assert first.content == b'{"number":1,"apiKey":"claw_live_x"}'
    assert second.content == recall(attempt).content == b'{"number":1}'
    assert (second.status_code, second["ETag"]) == (201, '"1"')


def test_an_answer_without_a_body_is_remembered_too(attempt):
    for answer in (lambda: HttpResponse(status=204), never):
        response = once(attempt, answer)
        assert (response.status_code, response.content) == (204, b"")


def test_p7_of_twenty_at_once_one_is_carried_out(attempt, acme):
    def answer():
        Secret.objects.create(organization=acme, name=f"{Secret.objects.count()}", value="x")
        return made()()

    answers = in_parallel(20, lambda _: once(attempt, answer))
    assert {response.status_code for response in answers} == {201}
    assert Secret.objects.count() == 1


def test_another_request_under_the_same_key_is_a_conflict(attempt):
    once(attempt, made())
    for again in (lambda other: once(other, never), recall):
        with pytest.raises(ClawError) as raised:
            again(replace(attempt, fingerprint="g"))
        assert raised.value.code == "idempotency_conflict"


def test_p24_keys_of_others_are_other_keys(attempt, globex):
    once(attempt, made())
    others = (replace(attempt, organization_id=globex.id), replace(attempt, sender="key_2"))
    for number, other in enumerate(others, 2):
        assert recall(other) is None
        assert once(other, made(number)).status_code == 201


def test_what_was_refused_is_not_remembered_and_has_done_nothing(attempt, acme):
    def refuse():
        Secret.objects.create(organization=acme, name="half", value="x")
        raise ClawError("forbidden", "no")

    with pytest.raises(ClawError):
        once(attempt, refuse)
    assert not Secret.objects.exists()
    assert once(attempt, made()).status_code == 201


def test_it_is_forgotten_after_24_hours(attempt):
    once(attempt, made())
    RememberedRequest.objects.update(created_at=timezone.now() - timedelta(hours=24))

    assert recall(attempt) is None
    assert once(attempt, made(2)).content != once(attempt, made(3)).content
    assert RememberedRequest.objects.get().body == '{"number":2}'


def test_address_and_body_make_the_fingerprint():
    factory = RequestFactory()
    requests = [
        factory.post("/api/agents", b"{}", content_type="application/json"),
        factory.post("/api/agents", b"{ }", content_type="application/json"),
        factory.post("/api/agents?agentId=x", b"{}", content_type="application/json"),
        factory.post("/api/conversations", b"{}", content_type="application/json"),
    ]
    assert len(set(map(idempotency.fingerprint, requests))) == 4


def test_many_that_are_old_are_forgotten_in_steps(attempt, acme, monkeypatch):
    monkeypatch.setattr(idempotency, "MAX_FORGOTTEN", 2)
    for name in "abcde":
        once(replace(attempt, name=name), made())
    RememberedRequest.objects.update(created_at=timezone.now() - timedelta(hours=25))

    assert once(replace(attempt, name="e"), made(2)).content.startswith(b'{"number":2')
    assert RememberedRequest.objects.count() == 3
    assert [idempotency.purge() for _ in "12"] == [2, 0]
