"""`wire.encoders.conversation`: the native events under the names of the conversation route."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from engine.events import decode
from tests.wire.contract import EncoderContract, batch_of
from tests.wire.encoders.test_native import folded_text, read
from wire.encoders.conversation import ConversationEvents


class TestConversationEvents(EncoderContract):
    protocol = ConversationEvents

    def text(self, writes: Sequence[bytes]) -> str:
        return folded_text(read(b"".join(writes)))

    def seen(self, *, merge: bool = False) -> list[dict[str, Any]]:
        writes = self.encoder(merge=merge).events(batch_of("tools"))
        return [msgspec.json.decode(event) for event in read(b"".join(writes))]

    def test_tokens_and_usages_have_a_second_name(self) -> None:
        for event in self.seen():
            if event["type"] == "token":
                assert event["token"] == event["content"]
            if event["type"] in ("message_complete", "done"):
                assert event["usage"]["total"] == event["usage"]["totalTokens"]

    @pytest.mark.parametrize("merge", [True, False])
    def test_they_are_still_native_events(self, merge: bool) -> None:
        for event in self.seen(merge=merge):
            decode(msgspec.json.encode(event))

    def test_what_is_hidden_stays_hidden(self) -> None:
        assert {"step", "tool_call_delta"} & {event["type"] for event in self.seen()} == set()

    def test_the_usage_of_one_model_call_is_no_total(self) -> None:
        assert all("total" not in event for event in self.seen() if event["type"] == "usage")
