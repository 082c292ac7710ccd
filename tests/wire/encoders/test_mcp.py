"""`wire.encoders.mcp`: a call of an agent as a tool."""

from collections.abc import Sequence
from typing import Any

import msgspec

from engine.errors import ClawError
from engine.events import Batch, Stamp, Token
from tests.wire.contract import RUN, WHOLE, EncoderContract, batch_of, snapshot_at
from tests.wire.encoders.test_native import read
from wire.encoders.mcp import McpCall
from wire.facade.openai import waiting
from wire.selection import Selection
from wire.visibility import EVERYTHING


def messages(writes: Sequence[bytes]) -> list[dict[str, Any]]:
    return [msgspec.json.decode(data) for data in read(b"".join(writes))]


def told(name: str, **options: Any) -> list[dict[str, Any]]:
    encoder = McpCall(Selection(EVERYTHING), RUN, id=7, conversation_id="conv_1", **options)
    return messages(encoder.opening() + encoder.events(batch_of(name)) + encoder.close())


def tokens(count: int) -> Batch:
    """So many tokens of one character."""
    stamp = Stamp(RUN, "conv_1", "msg_1")
    lines = [stamp.seal(Token(content="x", index=n), n + 1) for n in range(count)]
    return ["token"] * count, lines, count


class TestMcpCall(EncoderContract):
    protocol = McpCall

    def text(self, writes: Sequence[bytes]) -> str:
        *_, result = messages(writes)
        return str(result["result"]["structuredContent"]["message"])

    def left_open(self, writes: Sequence[bytes]) -> bool:
        """Until its result has come the client waits."""
        return sum("result" in each for each in messages(writes)) != 1


def test_progress_is_the_text_so_far_and_the_result_the_whole() -> None:
    *progress, last = told("complete", token="t")
    shown = [each["params"] for each in progress]
    text = last["result"]["content"][0]["text"]
    assert shown and all(text.startswith(each["message"]) for each in shown)
    assert [each["progress"] for each in shown] == sorted({each["progress"] for each in shown})
    assert all(each["progressToken"] == "t" for each in shown)
    assert (last["id"], last["result"]["isError"]) == (7, False)
    assert last["result"]["structuredContent"]["conversationId"] == "conv_1"


def test_without_a_token_there_is_only_the_result() -> None:
    assert len(told("complete")) == 1


def test_all_progress_is_a_few_times_as_long_as_the_answer() -> None:
    encoder = McpCall(Selection(EVERYTHING), RUN, token=1)
    writes = encoder.events(tokens(5000))
    assert sum(len(each["params"]["message"]) for each in messages(writes)) < 10 * 5000


def test_what_is_no_whole_answer_is_an_error_that_says_why() -> None:
    for name in ("cancelled", "failed", "interrupted"):
        result = told(name)[-1]["result"]
        assert result["isError"] and result["structuredContent"]["code"], name
        assert result["content"][-1]["text"]


def test_a_run_that_waits_for_somebody_is_told_in_a_sentence() -> None:
    encoder = McpCall(Selection(EVERYTHING), RUN)
    assert not encoder.waits
    encoder.events(batch_of("streaming"))
    (result,) = messages(encoder.close(waiting(RUN)))
    assert "waits for somebody's decision" in result["result"]["content"][-1]["text"]
    assert result["result"]["structuredContent"]["runId"] == RUN


def test_the_version_without_sessions_says_that_the_result_is_complete() -> None:
    assert told("complete", modern=True)[-1]["result"]["resultType"] == "complete"
    assert "resultType" not in told("complete")[-1]["result"]


def test_no_line_ends_where_a_client_may_see_one() -> None:
    encoder = McpCall(Selection(EVERYTHING), RUN, token=1)
    assert all(write.isascii() for write in encoder.events(batch_of("complete")))


def test_nothing_follows_the_result() -> None:
    for name in WHOLE:
        encoder = McpCall(Selection(EVERYTHING), RUN)
        encoder.events(batch_of(name))
        assert encoder.close(ClawError("unavailable", "Soon.")) == []
        assert encoder.snapshot(snapshot_at(batch_of(name))) == []
