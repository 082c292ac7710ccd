"""`console.entrance.landing`: one page for strangers; members go on."""

import pytest


@pytest.mark.parametrize("signup", ["open", "closed"])
def test_it_works(client, settings, transactional_db, signup):
    settings.CLAW_SIGNUP = signup
    page = client.get("/").content.decode()
    assert "/accounts/login/" in page
    assert ("/accounts/signup/" in page) == (signup == "open")


def test_a_member_goes_on_to_the_console(client, alice):
    client.force_login(alice)
    assert client.get("/").url == "/console/"
