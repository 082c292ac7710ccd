"""How model servers spell why they stopped."""

from typing import Any

import pytest

from engine.providers.server.reasons import BROKEN_OFF, read_reason, worse

SPELLINGS = {
    "stop": "end_turn",
    "STOP": "end_turn",
    "FinishReason.STOP": "end_turn",
    "FINISH_REASON_MAX_TOKENS": "max_tokens",
    "eos": "end_turn",
    "eos_token": "end_turn",
    "COMPLETE": "end_turn",
    "endTurn": "end_turn",
    "stop_sequence": "stop_sequence",
    "tool_calls": "tool_use",
    "tool-calls": "tool_use",
    "function_call": "tool_use",
    "Length": "max_tokens",
    "MAX_TOKENS": "max_tokens",
    "max_output_tokens": "max_tokens",
    "model_length": "context_window_exceeded",
    "model_context_window_exceeded": "context_window_exceeded",
    "content_filter": "refusal",
    "content-filter": "refusal",
    "SAFETY": "refusal",
    "RECITATION": "refusal",
    "guardrail_intervened": "refusal",
    "sensitive": "refusal",
    "abort": BROKEN_OFF,
    "error": BROKEN_OFF,
    "insufficient_system_resource": BROKEN_OFF,
    "MALFORMED_FUNCTION_CALL": BROKEN_OFF,
    "pause_turn": "pause_turn",
    "New_Reason": "New_Reason",
    "max_completion_tokens": "max_tokens",
    "output_limit": "max_tokens",
    "truncated": "max_tokens",
    "safety_filter": "refusal",
    "policy_violation": "refusal",
    "blocked": "refusal",
    "internal_error": BROKEN_OFF,
    "client_disconnected": BROKEN_OFF,
    "停止": "停止",
}


@pytest.mark.parametrize("said", SPELLINGS)
def test_only_the_letters_count(said: str) -> None:
    assert read_reason(said) == SPELLINGS[said]
    assert read_reason(f" {said} ") == SPELLINGS[said]


@pytest.mark.parametrize("said", [None, "", " ", "null", "FINISH_REASON_UNSPECIFIED", False, []])
def test_some_say_that_there_is_none(said: Any) -> None:
    assert read_reason(said) is None


@pytest.mark.parametrize(("said", "reason"), [(0, None), ("0", None), (1, "1"), ("1", "1")])
def test_a_number_is_a_reason_but_for_zero(said: Any, reason: str | None) -> None:
    assert read_reason(said) == reason


def test_it_may_stand_in_a_list() -> None:
    assert read_reason(["stop"]) == "end_turn"
    assert read_reason([None, "MAX_TOKENS"]) == "max_tokens"
    assert read_reason([None]) is None


def test_it_may_stand_in_an_object() -> None:
    assert read_reason({"type": "length", "length": 10}) == "max_tokens"


def test_an_unknown_one_is_short_and_can_be_stored() -> None:
    assert read_reason("x\0" * 100) == "x\ufffd" * 32


def test_a_cut_stays_one_whatever_follows() -> None:
    assert worse(None, "end_turn") == "end_turn"
    assert worse("end_turn", "max_tokens") == "max_tokens"
    assert worse("max_tokens", "end_turn") == "max_tokens"
    assert worse(BROKEN_OFF, "end_turn") == BROKEN_OFF
    assert worse("end_turn", None) == "end_turn"
