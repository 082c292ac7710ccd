"""The conversation route's events: the native ones, with the names that its clients look for.

`token` beside `content` on tokens, `total` beside `totalTokens` in usage."""

from collections.abc import Iterable, Iterator

import msgspec

from wire.view import Sealed, View

WITH_USAGE = frozenset({"message_complete", "cancelled", "error", "done"})


class ConversationView(View):
    """A view whose tokens and usages carry those names too."""

    def select(self, batch: Iterable[Sealed]) -> Iterator[Sealed]:
        """As `View.select`."""
        for seq, type_, data in super().select(batch):
            if type_ == "token" or type_ in WITH_USAGE:
                data = _renamed(type_, data)
            yield seq, type_, data


def _renamed(type_: str, data: bytes) -> bytes:
    event = msgspec.json.decode(data)
    if type_ == "token":
        event["token"] = event["content"]
    else:
        event["usage"]["total"] = event["usage"]["totalTokens"]
    return msgspec.json.encode(event)
