"""`pipelines.destinations.http`: what may be tried again, and what never leaves."""

import pytest

from engine.http.guard import Guard
from pipelines.destinations import http
from pipelines.destinations.base import DeliveryError
from pipelines.destinations.http import Sender
from tests.pipelines.receiver import receiving


async def sent(url, guard=None):
    sender = Sender(guard or Guard([]))
    try:
        return await sender.send("POST", url, {"webhook-id": "itm_1"}, b"{}")
    finally:
        await sender.aclose()


@pytest.fixture
def guard(settings, private):
    return Guard(settings.CLAW_ALLOW_PRIVATE_NETWORKS)


async def test_it_works(guard):
    async with receiving(lambda body: "200 OK\nfine") as receiver:
        assert await sent(receiver.url, guard) == b"fine"
    _, headers, _ = receiver.requests[0]
    assert (headers["webhook-id"], headers["content-type"]) == ("itm_1", "application/json")


@pytest.mark.parametrize(
    ("status", "transient"),
    [("500 No", True), ("429 No", True), ("408 No", True), ("400 No", False), ("302 No", False)],
)
async def test_a_status_says_whether_to_try_again(guard, status, transient):
    async with receiving(lambda body: status) as receiver:
        with pytest.raises(DeliveryError, match=status[:3]) as caught:
            await sent(receiver.url, guard)
    assert caught.value.transient is transient


async def test_a_receiver_that_hangs_is_left(guard, monkeypatch):
    monkeypatch.setattr(http, "MAX_SECONDS", 0.2)
    async with receiving(lambda body: None) as receiver:
        with pytest.raises(DeliveryError, match="did not answer") as caught:
            await sent(receiver.url, guard)
    assert caught.value.transient


@pytest.mark.parametrize("url", ["http://127.0.0.1:80/", "http://169.254.169.254/", "no address"])
async def test_p28_our_own_network_is_no_address(url):
    with pytest.raises(DeliveryError) as caught:
        await sent(url)
    assert not caught.value.transient


async def test_one_connection_is_used_again(guard):
    async with receiving() as receiver:
        sender = Sender(guard)
        for _ in range(3):
            await sender.send("POST", receiver.url, {}, b"{}")
        await sender.aclose()
        assert len(receiver.open) == 1
