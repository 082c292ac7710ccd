"""`webhooks.sending`: one attempt, against real servers on loopback."""

from ipaddress import ip_network

import pytest

from engine.http.guard import Guard
from tests.webhooks.receiver import receiving
from webhooks import sending
from webhooks.sending import send

PRIVATE = Guard([ip_network("127.0.0.0/8")])


async def test_it_works():
    async with receiving() as receiver:
        outcome = await send(receiver.url, {"webhook-id": "dlv_1"}, '{"a":"ü"}', PRIVATE)
    assert outcome[:2] == (200, "")
    ((headers, body),) = receiver.requests
    assert (headers["webhook-id"], headers["content-type"]) == ("dlv_1", "application/json")
    assert body.decode() == '{"a":"ü"}'


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("204 No Content", ""),
        ("500 No", "server_error"),
        ("404 No", "client_error"),
        ("302 Found\r\nlocation: http://127.0.0.1:1/", "redirect_refused"),
    ],
)
async def test_the_status_says_whether_it_was_taken(answer, error):
    async with receiving(answer) as receiver:
        outcome = await send(receiver.url, {}, "{}", PRIVATE)
    assert outcome[:2] == (int(answer[:3]), error)
    assert len(receiver.requests) == 1


async def test_p28_an_address_of_our_own_network_is_never_connected():
    async with receiving() as receiver:
        outcome = await send(receiver.url, {}, "{}", Guard())
    assert outcome[:2] == (None, "address_refused")
    assert receiver.requests == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://[::1", "http://127.0.0.1:0/"])
async def test_an_address_where_nobody_is_fails(url):
    status, error, _ = await send(url, {}, "{}", PRIVATE)
    assert status is None
    assert error in ("unreachable", "address_refused")


async def test_a_receiver_that_never_answers_is_left(monkeypatch):
    monkeypatch.setattr(sending, "MAX_SECONDS", 0.1)
    async with receiving(None) as receiver:
        outcome = await send(receiver.url, {}, "{}", PRIVATE)
    assert outcome[:2] == (None, "timeout")
