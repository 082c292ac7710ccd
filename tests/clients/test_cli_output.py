"""`clawsite_client.cli.output`: what the command line shows."""

import json

import pytest
from clawsite_client import ClawError
from clawsite_client.cli.output import Output

from tests import fixtures

Captured = pytest.CaptureFixture[str]


def test_it_works(capsys: Captured) -> None:
    output = Output(as_json=False)
    events = fixtures.load("complete")["events"]
    for event in events:
        output.event(event)
    content = next(each["content"] for each in events if each["type"] == "message_complete")
    assert capsys.readouterr().out.replace("\n", "") == content.replace("\n", "")


def test_thinking_calls_and_results_have_marks_of_their_own(capsys: Captured) -> None:
    output = Output(as_json=False)
    output.event({"type": "thinking", "content": "Hm."})
    output.event({"type": "tool_call", "tool": "clock", "args": {}})
    output.event({"type": "tool_result", "result": {"time": "x" * 500}})
    output.event({"type": "token", "content": "Noon."})
    output.event({"type": "done"})
    told = capsys.readouterr()
    thinking, call, result = told.err.splitlines()
    assert len({thinking[0], call[0], result[0]}) == 3
    assert result.endswith("…") and len(result) < 220
    assert told.out == "Noon.\n"


def test_a_tool_directs_no_terminal(capsys: Captured) -> None:
    output = Output(as_json=False)
    output.event({"type": "status", "message": "\x1b[2Jgone\x9b"})
    assert capsys.readouterr().err == "… [2Jgone\n"


def test_an_error_is_json_where_json_is_wanted(capsys: Captured) -> None:
    Output(as_json=True).error(ClawError("not_found", "None."))
    assert json.loads(capsys.readouterr().err) == {
        "error": {"code": "not_found", "message": "None."}
    }
