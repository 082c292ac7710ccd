"""`core.http`: JSON, pages, preconditions and refusals."""

from datetime import timedelta

import msgspec
import pytest
from django.core.exceptions import ValidationError
from django.test import RequestFactory
from django.utils import timezone

from accounts.models import Secret
from core import http
from core.http import Answer, Page
from engine.errors import ClawError
from wire.errors import status_of


def request(**headers: str):
    return RequestFactory().get("/", headers=headers)


def test_it_works():
    answer = Answer({"id": "key_1"}, 201, secret={"apiKey": "claw_live_x"})

    assert msgspec.json.decode(answer.content) == {"id": "key_1", "apiKey": "claw_live_x"}
    assert answer.lasting == b'{"id":"key_1"}'


def test_pages_meet_every_row_once_also_those_of_the_same_moment(acme):
    now = timezone.now()
    for number in range(7):
        moment = now - timedelta(seconds=number // 3)
        Secret.objects.create(organization=acme, name=str(number), value="x", created_at=moment)
    seen, before = [], None
    while True:
        rows, before = http.newest(Secret.objects.all(), Page(before=before, limit=2))
        seen += rows
        if before is None:
            break
    assert seen == list(Secret.objects.order_by("-created_at", "-id"))


@pytest.mark.parametrize("before", ["sec_missing", "\0"])
def test_a_cursor_that_is_none_is_refused(acme, before):
    with pytest.raises(ClawError) as raised:
        http.newest(Secret.objects.all(), Page(before=before))
    assert raised.value.details == {"field": "before"}


@pytest.mark.parametrize("known", ['"1"', '"0", "1"', "*"])
def test_the_present_version_matches(known):
    http.check_if_match(request(if_match=known), '"1"')
    assert http.unchanged(request(if_none_match=known), '"1"')


@pytest.mark.parametrize("known", ['"0"', 'W/"1"', "1"])
def test_a_change_needs_exactly_the_present_version(known):
    with pytest.raises(ClawError) as raised:
        http.check_if_match(request(if_match=known), '"1"')
    assert (raised.value.code, status_of(raised.value)) == ("precondition_failed", 412)


def test_a_weak_tag_is_enough_to_read_nothing():
    assert http.unchanged(request(if_none_match='W/"1"'), '"1"')
    assert not http.unchanged(request(if_none_match='"0"'), '"1"')
    assert not http.unchanged(request(), '"1"')
    http.check_if_match(request(), '"1"')


@pytest.mark.parametrize(
    ("error", "field"),
    [
        (ValidationError({"base_url": "wrong"}), "baseUrl"),
        (ValidationError({"__all__": ["wrong"]}), "$"),
        (ValidationError("wrong"), "$"),
    ],
)
def test_a_models_refusal_names_the_field_as_json_does(error, field):
    refused = http.refusal(error)
    assert (refused.message, refused.details) == ("wrong", {"field": field})


def test_an_answer_with_a_secret_is_not_to_be_stored():
    assert Answer({"a": 1}, secret={"apiKey": "x"})["Cache-Control"] == "no-store"
    assert not Answer({"a": 1}).has_header("Cache-Control")
