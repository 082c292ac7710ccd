"""`conversations.transports.rest.routing`: from an address to a view."""

import pytest
from django.test import RequestFactory

from conversations.transports.rest.routing import chat, check_method
from engine.errors import ClawError


async def show(request, **names):
    return request.method, names


async def test_it_works() -> None:
    route = chat(GET=show, POST=show)
    assert await route(RequestFactory().post("/"), slug="a") == ("POST", {"slug": "a"})


@pytest.mark.parametrize("method", ["PUT", "HEAD", "OPTIONS", "get", "FROBNICATE"])
def test_another_method_is_told_which_there_are(method: str) -> None:
    request = RequestFactory().generic(method, "/")
    request.method = method
    with pytest.raises(ClawError) as raised:
        check_method(request, {"GET": show, "POST": show})
    assert (raised.value.code, raised.value.details) == (
        "method_not_allowed",
        {"allow": ["GET", "POST"]},
    )
    assert raised.value.message == "Use GET or POST."


async def test_a_wrong_method_is_refused_before_anybody_is_asked_who_they_are() -> None:
    with pytest.raises(ClawError) as raised:
        await chat(POST=show)(RequestFactory().get("/"))
    assert raised.value.code == "method_not_allowed"
