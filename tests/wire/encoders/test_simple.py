"""`wire.encoders.simple`: what clients of a few lines read."""

from collections.abc import Sequence
from typing import Any

import msgspec

from engine.errors import ClawError
from tests.wire.contract import EncoderContract, batch_of, snapshot_at
from tests.wire.encoders.test_native import read
from wire.encoder import Encoder
from wire.encoders.simple import Chunks, ContentSse, SimpleSse, Texts, Thoughts

QUESTION = "Which day?\n- Monday\n- Tuesday"
"""That of the fixtures, as it is told."""


def objects(writes: Sequence[bytes]) -> list[dict[str, Any]]:
    return [msgspec.json.decode(write) for write in writes]


def told(encoder: Encoder, name: str) -> list[bytes]:
    return encoder.events(batch_of(name))


class TestTexts(EncoderContract):
    protocol = Texts

    def text(self, writes: Sequence[bytes]) -> str:
        said = b"".join(
            write for write in writes if write != b"[DONE]" and not write.startswith(b"[ERROR] ")
        )
        return said.decode().replace(QUESTION, "")

    def test_a_question_is_told_with_its_choices_and_ends_the_turn(self) -> None:
        writes = told(self.encoder(), "decided")
        at = writes.index(QUESTION.encode())
        assert writes[at + 1] == writes[-1] == b"[DONE]"
        waiting = self.encoder().snapshot(snapshot_at(batch_of("waiting")))
        assert waiting[-2:] == [QUESTION.encode(), b"[DONE]"]

    def test_an_error_comes_before_the_end(self) -> None:
        assert told(self.encoder(), "failed")[-2:] == [
            b"[ERROR] The model server is overloaded.",
            b"[DONE]",
        ]

    def test_a_client_that_is_left_is_told(self) -> None:
        encoder = self.encoder()
        encoder.events(batch_of("streaming"))
        assert encoder.close(ClawError("unavailable", "Soon.")) == [b"[ERROR] Soon.", b"[DONE]"]
        assert encoder.close(ClawError("unavailable", "Soon.")) == []


class TestChunks(EncoderContract):
    protocol = Chunks

    def text(self, writes: Sequence[bytes]) -> str:
        said = (each["content"] for each in objects(writes) if each["type"] == "chunk")
        return "".join(said).replace(QUESTION, "")

    def test_it_ends_with_done(self) -> None:
        assert objects(told(self.encoder(), "complete"))[-1] == {"type": "done"}

    def test_an_error_has_a_message(self) -> None:
        error, done = objects(told(self.encoder(), "failed"))[-2:]
        assert error == {"type": "error", "message": "The model server is overloaded."}
        assert done == {"type": "done"}

    def test_it_says_nothing_else(self) -> None:
        assert {each["type"] for each in objects(told(self.encoder(), "tools"))} == {
            "chunk",
            "done",
        }


class TestThoughts(EncoderContract):
    protocol = Thoughts

    def text(self, writes: Sequence[bytes]) -> str:
        said = (each["content"] for each in objects(writes) if each["type"] == "answer")
        return "".join(said).replace(QUESTION, "")

    def test_it_says_what_the_agent_does_and_sees(self) -> None:
        said = objects(told(self.encoder(), "tools"))
        kinds = [each["type"] for each in said]
        assert kinds.index("action") < kinds.index("observation") < kinds.index("done")
        assert all(isinstance(each["content"], str) for each in said if each["type"] != "done")


class TestSimpleSse(EncoderContract):
    protocol = SimpleSse

    def text(self, writes: Sequence[bytes]) -> str:
        return "".join(each.get("content", "") for each in objects(read(b"".join(writes))))

    def test_events_keep_their_positions(self) -> None:
        *_, token = (write for write in told(self.encoder(), "complete") if b"content" in write)
        assert token.startswith(b"id: run_1:")
        assert objects(read(b"".join(told(self.encoder(), "complete"))))[-1] == {"done": True}

    def test_an_error_has_a_type(self) -> None:
        error, done = objects(read(b"".join(told(self.encoder(), "failed"))))[-2:]
        assert error == {"type": "error", "error": "The model server is overloaded."}
        assert done == {"done": True}

    def test_what_an_earlier_stream_told_is_not_told_again(self) -> None:
        encoder = self.encoder()
        encoder.opening(3)
        error, done = objects(read(b"".join(encoder.snapshot(snapshot_at(batch_of("complete"))))))
        assert "no longer kept" in error["error"]
        assert done == {"done": True}

    def test_a_question_can_be_answered_by_its_id(self) -> None:
        said = objects(read(b"".join(told(self.encoder(), "decided"))))
        (question,) = [each for each in said if each.get("type") == "question"]
        asked = {"text": "Which day?", "choices": ["Monday", "Tuesday"]}
        assert question == {"type": "question", "id": "toolu_2"} | asked


class TestContentSse(EncoderContract):
    protocol = ContentSse

    def text(self, writes: Sequence[bytes]) -> str:
        said = objects(read(b"".join(writes)))
        return "".join(each["text"] for each in said if each["type"] == "content")

    def test_every_object_has_a_type(self) -> None:
        types = {each["type"] for each in objects(read(b"".join(told(self.encoder(), "tools"))))}
        assert types == {"content", "done"}
