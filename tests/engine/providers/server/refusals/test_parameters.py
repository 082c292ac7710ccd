import json
from typing import Any

import pytest

from engine.providers.openai.provider import OTHER_NAMES, REQUIRED
from engine.providers.server.refusals import parameters
from engine.providers.server.refusals.classifier import Refusal
from engine.providers.server.refusals.parameters import (
    MAX_MODELS,
    MAX_REPEATS,
    Parameters,
    refused_name,
)

BODY: dict[str, Any] = {
    "model": "m",
    "messages": [],
    "max_tokens": 9,
    "temperature": 1,
    "stream": True,
    "stream_options": {"include_usage": True},
    "tools": [],
}


def refusal(said: Any, status: int | None = 400) -> Refusal:
    body = {"error": {"message": said}} if isinstance(said, str) else said
    return Refusal(status, {}, json.dumps(body).encode())


def known(**more: Any) -> Parameters:
    return Parameters(REQUIRED, OTHER_NAMES)


def test_it_works() -> None:
    mine, tried = known(), set[str]()
    assert mine.learn("m", BODY, refusal("Unknown parameter: 'stream_options'."), tried)
    assert "stream_options" not in mine.accepted("m", BODY)
    assert mine.accepted("other", BODY) == BODY


def pydantic(*loc: str) -> dict[str, Any]:
    message = "Extra inputs are not permitted"
    detail = [{"type": "extra_forbidden", "loc": list(loc), "msg": message, "input": True}]
    return {"object": "error", "message": {"detail": detail}, "param": None, "code": None}


SPELLINGS = [
    pydantic("body", "stream_options", "include_usage"),
    {"detail": pydantic("body", "stream_options")["message"]["detail"]},
    {"error": {"param": "stream_options", "code": "unsupported_parameter", "message": "No"}},
    {"error": {"param": "stream_options.include_usage", "code": "unknown_parameter"}},
    [{"error": {"message": 'Unknown name "stream_options": Cannot find field.'}}],
    {"message": "property 'stream_options' is unsupported"},
    {"error": {"message": "Unknown: stream_options", "param": None, "code": None}},
    {"error": {"message": "Unknown: stream_options", "param": "None", "code": "400"}},
    {"error_code": "BAD_REQUEST", "message": 'json: unknown field "stream_options"'},
    {"error": "stream_options is not supported"},
    "Unrecognized request argument supplied: stream_options",
    "unknown field `stream_options`, expected one of `messages`, `temperature`",
    "create() got an unexpected keyword argument 'stream_options'",
    "Additional properties are not allowed ('stream_options' was unexpected)",
    "Extra parameters ['stream_options'] are not allowed when extra-parameters is not set",
    "[{'type': 'extra_forbidden', 'loc': ('body', 'stream_options'), 'msg': 'Extra inputs'}]",
    "stream_options: Extra inputs are not permitted",
    "This model does not support stream_options.",
    "Unrecognized field: streamOptions",
    "unknown field `streamOptions`",
    "The parameter stream-options is not supported.",
    "$.StreamOptions.includeUsage is not allowed",
    {"error": {"param": "streamOptions.includeUsage", "code": "unknown_parameter"}},
    pydantic("body", "streamOptions"),
]


@pytest.mark.parametrize("said", SPELLINGS)
def test_a_refused_name_in_any_spelling(said: Any) -> None:
    for status in (400, 422, None):
        found = refused_name(BODY, refusal(said, status), REQUIRED)
        assert found == "stream_options", status


@pytest.mark.parametrize(
    "said",
    [
        "max_tokens is too large: 100000. This model supports at most 4096.",
        "'max_tokens' or 'max_completion_tokens' is too large: 100000.",
        "max_tokens is not allowed to be greater than 4096",
        "temperature must be between 0 and 2",
        {"error": {"message": "Unknown value in messages[0].", "param": "metadata"}},
        "Your stream_options are wrong.",
        "Unsupported region.",
        "",
    ],
)
def test_a_value_that_is_refused_is_the_users_mistake(said: Any) -> None:
    assert refused_name(BODY, refusal(said)) is None


@pytest.mark.parametrize("status", [401, 404, 429, 500])
def test_other_statuses_refuse_no_name(status: int) -> None:
    assert refused_name(BODY, refusal("Unknown parameter: stream_options", status)) is None


@pytest.mark.parametrize("name", sorted(REQUIRED & BODY.keys()))
def test_a_required_parameter_stays(name: str) -> None:
    mine = known()
    assert not mine.learn("m", BODY, refusal(f"Unknown parameter: {name}"), set())
    assert mine.accepted("m", BODY) == BODY


def test_a_model_that_takes_no_other_temperature() -> None:
    mine = known()
    words = "Unsupported value: 'temperature' does not support 0.2. Only the default is supported."
    assert mine.learn("m", BODY, refusal(words), set())
    assert "temperature" not in mine.accepted("m", BODY)


def test_the_limit_keeps_its_value_under_its_other_name() -> None:
    mine, tried = known(), set[str]()
    words = "'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    assert mine.learn("m", BODY, refusal(words), tried)
    sent = mine.accepted("m", BODY)
    assert sent["max_completion_tokens"] == 9 and "max_tokens" not in sent
    assert not mine.learn("m", sent, refusal("Unknown: max_completion_tokens"), tried)
    assert mine.accepted("m", BODY) == BODY


def test_the_limit_in_another_spelling() -> None:
    mine = known()
    assert mine.learn("m", BODY, refusal("maxTokens is not supported with this model."), set())
    assert mine.accepted("m", BODY)["max_completion_tokens"] == 9
    assert refused_name(BODY, refusal("maxCompletionTokens is not supported.")) is None
    assert refused_name(BODY, refusal("More max tokens are not supported.")) is None


def test_repeats_are_bounded() -> None:
    body = {f"field{number}": 1 for number in range(100)}
    mine, tried, repeats = known(), set[str](), 0
    while mine.learn(
        "m", sent := mine.accepted("m", body), refusal(f"Unknown: {next(iter(sent))}"), tried
    ):
        repeats += 1
    assert repeats == MAX_REPEATS


def test_what_is_remembered_is_bounded() -> None:
    mine = known()
    for number in range(MAX_MODELS + 1):
        mine.learn(f"m{number}", BODY, refusal("Unknown: temperature"), set())
    assert mine.accepted("m0", BODY) == BODY
    assert mine.accepted("m1", BODY) != BODY


def test_the_operator_is_told(caplog: pytest.LogCaptureFixture) -> None:
    known().learn("m", BODY, refusal("Unknown: temperature"), set())
    assert caplog.record_tuples[0][0] == parameters.__name__
    assert "refuses temperature for m" in caplog.text
