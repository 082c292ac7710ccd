"""The encoder of the conversation route: native events that have two values under a second name.

`token` is beside `content` on tokens, `total` beside `totalTokens` in usage."""

import msgspec

from engine.events import Batch
from wire import sse
from wire.encoders.native import SseEvents

WITH_USAGE = frozenset({"message_complete", "cancelled", "error", "done"})


class ConversationEvents(SseEvents):
    """An event stream whose tokens and usages have those names too."""

    __slots__ = ()

    def events(self, batch: Batch) -> list[bytes]:
        """See `Encoder.events`."""
        return [
            sse.FRAME % (self._name, seq, _with_names(type_, data))
            for seq, type_, data in self._selection.select(batch)
        ]


def _with_names(type_: str, data: bytes) -> bytes:
    if type_ != "token" and type_ not in WITH_USAGE:
        return data
    event = msgspec.json.decode(data)
    if type_ == "token":
        event["token"] = event["content"]
    elif "usage" in event:
        event["usage"]["total"] = event["usage"]["totalTokens"]
    return msgspec.json.encode(event)
