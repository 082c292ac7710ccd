"""`conversations.transports.ws.frames`: what a socket is told, and what the log says of it."""

import json
import logging

import pytest

from conversations.transports.ws import frames
from engine.errors import ClawError, Unavailable
from wire.errors import CLOSE_CODE, HTTP_STATUS


def test_it_works(caplog: pytest.LogCaptureFixture) -> None:
    told = json.loads(frames.error(Unavailable("Full."), 7))

    assert (told["code"], told["retryAfter"], told["replyTo"]) == ("unavailable", 1000, 7)
    (line,) = caplog.records
    assert line.levelno == logging.WARNING
    assert told["details"]["requestId"] in line.getMessage()
    assert "unavailable" in line.getMessage() and "Full." not in line.getMessage()


@pytest.mark.parametrize("code", {**HTTP_STATUS, **CLOSE_CODE})
def test_every_failure_of_ours_has_an_id_and_no_other_error(
    code: str, caplog: pytest.LogCaptureFixture
) -> None:
    problem = ClawError(code, "-", details={"field": "x"})
    details = json.loads(frames.error(problem))["details"]

    assert details["field"] == "x"
    ours = HTTP_STATUS.get(code, 0) >= 500
    assert (("requestId" in details), bool(caplog.records)) == (ours, ours)
    assert problem.details == {"field": "x"}  # it may be told to others too


def test_a_failure_that_has_a_line_gets_no_second_one(caplog: pytest.LogCaptureFixture) -> None:
    problem = ClawError("internal_error", "-", details={"requestId": "req_1"})
    assert json.loads(frames.error(problem))["details"] == {"requestId": "req_1"}
    assert not caplog.records
