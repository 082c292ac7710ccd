"""Destination `analytics`: events for the services that count them, each with the id by which the
service knows an event that comes twice.

https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/#batch
https://developer.mixpanel.com/reference/track-event
https://amplitude.com/docs/apis/analytics/http-v2"""

import base64
import re
from collections.abc import Callable
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

from core.http import utc_of_ms
from pipelines.destinations.base import DeliveryError
from pipelines.destinations.configs import KEYS, AnalyticsConfig
from pipelines.destinations.http import Sender
from pipelines.destinations.secret_values import Secrets
from pipelines.graph.event_time import moment
from pipelines.graph.items import Data, Item

EVENT_FIELDS = ("event", "event_type", "eventType", "type")
"""The first text of these is the name of the event."""
USER_FIELDS = ("userId", "user_id", "user")
TIME_FIELDS = ("completedAt", "timestamp", "windowEnd")
ANONYMOUS = "clawsite"
"""Stands for the person where an item names none."""
ENDPOINTS = {
    "segment": "https://api.segment.io/v1/batch",
    "mixpanel": "https://api.mixpanel.com/track?verbose=1",
    "amplitude": "https://api2.amplitude.com/2/httpapi",
}


class Event(NamedTuple):
    """One event: what, of whom, when (Unix time in ms)."""

    id: str
    name: str
    user: str | None
    at: int
    data: Data


class Analytics:
    """See `Destination`."""

    def __init__(self, config: AnalyticsConfig, sender: Sender, secrets: Secrets) -> None:
        self._config, self._sender, self._secrets = config, sender, secrets

    async def send(self, item: Item) -> None:
        """See `Destination.send`. A batch is one request."""
        config = self._config
        parts = item.parts or [(item.id, item.data)]
        events = [_event(name, data, item.arrived) for name, data in parts]
        headers = {name: await self._secrets.fill(value) for name, value in config.headers.items()}
        if config.provider == "custom":
            await self._post(str(config.url), headers | {"webhook-id": item.id}, _custom(events))
            return
        key = await self._secrets.fill(getattr(config, KEYS[config.provider]))
        url = str(config.endpoint or ENDPOINTS[config.provider])
        if config.provider == "segment":
            pair = base64.b64encode(f"{key}:".encode()).decode()
            headers["authorization"] = f"Basic {pair}"
        answer = await self._post(url, headers, BODIES[config.provider](events, key))
        if config.provider == "mixpanel":
            _check_mixpanel(answer)

    async def aclose(self) -> None:
        """See `Destination.aclose`."""
        await self._sender.aclose()

    async def _post(self, url: str, headers: dict[str, str], body: Any) -> bytes:
        address = await self._secrets.fill_address(url)
        return await self._sender.send("POST", address, headers, msgspec.json.encode(body))


def _event(name: str, data: Data, arrived: int) -> Event:
    times = (moment(data.get(field)) for field in TIME_FIELDS)
    return Event(
        name,
        _first(data, EVENT_FIELDS) or "event",
        _first(data, USER_FIELDS),
        next((time for time in times if time is not None), arrived),
        data,
    )


def _first(data: Data, fields: tuple[str, ...]) -> str | None:
    found = (data.get(field) for field in fields)
    return next((value for value in found if isinstance(value, str) and value), None)


def _segment(events: list[Event], key: str) -> Any:
    return {
        "batch": [
            {
                "type": "track",
                "event": event.name,
                **({"userId": event.user} if event.user else {"anonymousId": ANONYMOUS}),
                "messageId": event.id,
                "timestamp": utc_of_ms(event.at),
                "properties": event.data,
            }
            for event in events
        ]
    }


def _mixpanel(events: list[Event], key: str) -> Any:
    return [
        {
            "event": event.name,
            "properties": {
                **event.data,
                "token": key,
                "time": event.at,
                "distinct_id": event.user or ANONYMOUS,
                "$insert_id": _insert_id(event.id),
            },
        }
        for event in events
    ]


def _amplitude(events: list[Event], key: str) -> Any:
    return {
        "api_key": key,
        "options": {"min_id_length": 1},
        "events": [
            {
                "event_type": event.name,
                **({"user_id": event.user} if event.user else {"device_id": ANONYMOUS}),
                "time": event.at,
                "insert_id": event.id,
                "event_properties": event.data,
            }
            for event in events
        ],
    }


def _custom(events: list[Event]) -> Any:
    return {
        "events": [
            {
                "id": event.id,
                "event": event.name,
                "userId": event.user,
                "timestamp": utc_of_ms(event.at),
                "properties": event.data,
            }
            for event in events
        ]
    }


BODIES: dict[str, Callable[[list[Event], str], Any]] = {
    "segment": _segment,
    "mixpanel": _mixpanel,
    "amplitude": _amplitude,
}


def _insert_id(name: str) -> str:
    """Mixpanel takes 36 letters, digits and hyphens."""
    plain = re.sub(r"[^A-Za-z0-9-]", "-", name)
    return plain if len(plain) <= 36 else sha256(name.encode()).hexdigest()[:36]


def _check_mixpanel(answer: bytes) -> None:
    """It answers 200 to what it refuses, too."""
    try:
        taken = msgspec.json.decode(answer)["status"] == 1
    except (msgspec.DecodeError, KeyError, TypeError):
        taken = answer.strip() == b"1"
    if not taken:
        raise DeliveryError("Mixpanel refuses the events.", transient=False)
