"""`wire.facade.errors`: errors as each foreign protocol has them."""

import pytest

from engine.errors import ClawError, invalid
from wire.errors import HTTP_STATUS, envelope_of
from wire.facade.errors import envelope_at, openai_envelope, type_of


def test_it_works() -> None:
    error = openai_envelope(invalid("n", "Leave it out."), "req_1").error
    assert (error.code, error.type) == ("invalid_message", "invalid_request_error")
    assert (error.param, error.message, error.request_id) == ("n", "Leave it out.", "req_1")


def test_an_error_of_no_field_has_no_param() -> None:
    assert openai_envelope(ClawError("internal_error", "-"), "req_1").error.param is None


@pytest.mark.parametrize("path", ["/v1/models", "/a/helper/v1/chat/completions"])
def test_every_address_below_v1_has_them(path: str) -> None:
    assert envelope_at(path) is openai_envelope


@pytest.mark.parametrize("path", ["/api/chat", "/a/v1/api/chat", "", "/v10/models"])
def test_no_other_has_them(path: str) -> None:
    assert envelope_at(path) is envelope_of


@pytest.mark.parametrize("code", HTTP_STATUS)
def test_a_server_s_errors_are_no_client_s(code: str) -> None:
    assert (type_of(ClawError(code, "-")) == "server_error") == (HTTP_STATUS[code] >= 500)
