"""`pipelines.destinations.analytics`: what each service is sent, as its documentation has it."""

import base64
import re
from typing import Any

import msgspec
import pytest

from accounts.access import store_secret
from core.database import database_step
from pipelines.destinations.base import DeliveryError
from pipelines.destinations.configs import DestinationConfig
from pipelines.destinations.opening import open_destination
from pipelines.graph.items import Item
from tests.pipelines.receiver import receiving

RUN = {
    "event_type": "agent_completion",
    "userId": "ada",
    "tokens": 3,
    "completedAt": "2026-11-30T10:00:00Z",
}
AT = 1796032800000


def opened(acme: Any, type_: str, **config: Any) -> Any:
    made = msgspec.convert({"type": type_, "config": config}, DestinationConfig)
    return open_destination(made, acme.pk)


async def sent(acme, item, answer="200 OK", **config):
    """What a service gets, and where."""
    await database_step(store_secret, acme.pk, "KEY", "s3cret")
    async with receiving(lambda body: answer) as receiver:
        url = {"endpoint": receiver.url, "url": receiver.url}
        name = "url" if config["provider"] == "custom" else "endpoint"
        destination = opened(acme, "analytics", **config, **{name: url[name]})
        try:
            await destination.send(item)
        finally:
            await destination.aclose()
    return receiver.requests[0]


async def test_it_works(acme, private):
    """https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/#batch"""
    item = Item("run_1", RUN, AT)
    _, headers, body = await sent(acme, item, provider="segment", writeKey="${secrets.KEY}")
    assert base64.b64decode(headers["authorization"].removeprefix("Basic ")) == b"s3cret:"
    assert body == {
        "batch": [
            {
                "type": "track",
                "event": "agent_completion",
                "userId": "ada",
                "messageId": "run_1",
                "timestamp": "2026-11-30T10:00:00Z",
                "properties": RUN,
            }
        ]
    }


async def test_mixpanel(acme, private):
    """https://developer.mixpanel.com/reference/track-event"""
    item = Item("run_1", RUN, AT)
    taken = '200 OK\n{"status": 1, "error": null}'
    _, _, body = await sent(acme, item, taken, provider="mixpanel", projectToken="${secrets.KEY}")
    (event,) = body
    assert event["event"] == "agent_completion"
    told = event["properties"]
    assert (told["token"], told["distinct_id"], told["time"]) == ("s3cret", "ada", AT)
    assert re.fullmatch(r"[A-Za-z0-9-]{1,36}", told["$insert_id"])


async def test_mixpanel_refuses_with_200(acme, private):
    refused = '200 OK\n{"status": 0, "error": "token, missing or empty"}'
    with pytest.raises(DeliveryError) as caught:
        await sent(acme, Item("run_1", RUN, AT), refused, provider="mixpanel", projectToken="x")
    assert not caught.value.transient


async def test_amplitude_gets_a_batch_in_one_request(acme, private):
    """https://amplitude.com/docs/apis/analytics/http-v2"""
    parts = [("run_1", RUN), ("run_2", {"type": "run:completed", "timestamp": AT})]
    item = Item("batch_1", {}, AT, 2, parts)
    _, _, body = await sent(acme, item, provider="amplitude", apiKey="${secrets.KEY}")
    assert body["api_key"] == "s3cret"
    first, second = body["events"]
    assert (first["user_id"], first["insert_id"], first["time"]) == ("ada", "run_1", AT)
    assert second["device_id"]
    assert (second["event_type"], second["insert_id"]) == ("run:completed", "run_2")


async def test_custom(acme, private):
    _, headers, body = await sent(
        acme,
        Item("run_1", RUN, AT),
        provider="custom",
        headers={"authorization": "Bearer ${secrets.KEY}"},
    )
    assert headers["authorization"] == "Bearer s3cret"
    assert body["events"][0]["id"] == "run_1"


async def test_a_secret_that_is_not_there_is_said(acme, private):
    destination = opened(acme, "analytics", provider="segment", writeKey="${secrets.NONE}")
    with pytest.raises(DeliveryError, match="no secret “NONE”"):
        await destination.send(Item("run_1", RUN, AT))
